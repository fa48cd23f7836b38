import path from 'node:path';
import { type BuiltConnector, buildConnector } from '../build/build-connector.ts';
import { BuildError, type BuildProblem, formatProblem } from '../build/problem.ts';
import { advise } from './advice.ts';
import { checkTypes } from './check-types.ts';
import { Failure, problems as problemsFound } from './failure.ts';
import type { Io } from './io.ts';
import { projectDir } from './project.ts';
import { withEngine } from './sandbox.ts';

/** Types, build and manifest of the connector in this folder; writes nothing. */
export async function checkProject(
  options: { readonly entry: string | undefined; readonly json: boolean },
  io: Io,
): Promise<void> {
  const dir = projectDir();
  const done = io.progress('checking');
  const [typeProblems, built] = await Promise.all([
    checkTypes(dir, path.resolve(dir, options.entry ?? path.join('src', 'index.ts'))),
    tryBuild(dir, options.entry),
  ]).finally(done);

  const problems = [...typeProblems, ...built.problems];
  const advice =
    built.connector === null ? [] : [...built.connector.warnings.map(formatProblem), ...advise(built.connector)];
  if (options.json) io.data(JSON.stringify({ problems, advice }, null, 2));
  else for (const line of advice) io.say(`advice: ${line}`);
  if (problems.length > 0)
    throw options.json ? new Failure(`${problems.length} problems found.`) : problemsFound(problems);
  const manifest = built.connector?.manifest;
  io.say(`${manifest?.name} ${manifest?.version} is sound.`);
}

async function tryBuild(
  dir: string,
  entry: string | undefined,
): Promise<{ connector: BuiltConnector | null; problems: readonly BuildProblem[] }> {
  try {
    const connector = await withEngine((engine) =>
      buildConnector({
        dir,
        ...(entry !== undefined && { entry }),
        describe: (bundle, ms) => engine.describe(bundle, ms),
      }),
    );
    return { connector, problems: [] };
  } catch (error) {
    if (error instanceof BuildError) return { connector: null, problems: error.problems };
    throw error;
  }
}
