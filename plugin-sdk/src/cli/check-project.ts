import path from 'node:path';
import type { Manifest } from '../contract/index.ts';
import { type BuiltConnector, buildConnector } from '../build/build-connector.ts';
import { describeIn } from '../build/describe-in.ts';
import { findInSource } from '../build/find-in-source.ts';
import { BuildError, type BuildProblem, formatProblem } from '../build/problem.ts';
import { type Comparison, compareManifests } from '../build/compare/manifests.ts';
import { absentGlobals } from './absent-globals.ts';
import { advise } from './advice.ts';
import { checkTypes } from './check-types.ts';
import { Failure, problems as problemsFound, usage } from './failure.ts';
import { readBundleFile } from './inspect-bundle.ts';
import type { Io } from './io.ts';
import { projectDir } from './project.ts';
import { withEngine } from './sandbox.ts';

export interface CheckArguments {
  readonly entry: string | undefined;
  /** An earlier bundle file to compare with. */
  readonly against: string | undefined;
  readonly json: boolean;
}

/** Types, build and manifest of the connector in this folder, and what it changes for those who use an earlier bundle; writes nothing. */
export async function checkProject(options: CheckArguments, io: Io): Promise<void> {
  const dir = projectDir();
  const earlier = options.against === undefined ? null : (await readBundleFile(options.against)).bundle.manifest;
  const done = io.progress('checking');
  const [typeProblems, built] = await Promise.all([
    checkTypes(dir, path.resolve(dir, options.entry ?? path.join('src', 'index.ts'))),
    tryBuild(dir, options.entry, earlier?.digests['sbom.json'] !== undefined),
  ]).finally(done);

  const { connector } = built;
  const compared = earlier === null || connector === null ? null : compare(earlier, connector.manifest);
  const problems = [...typeProblems, ...built.problems, ...versionProblems(compared, earlier, connector)];
  const advice =
    connector === null
      ? []
      : [...connector.warnings.map(formatProblem), ...absentGlobals(connector), ...advise(connector)];
  if (options.json) io.data(JSON.stringify({ problems, advice, size: sizes(connector), compared }, null, 2));
  else {
    for (const change of compared?.changes ?? []) io.say(`${change.step}: ${change.pointer} ${change.message}`);
    for (const line of advice) io.say(`advice: ${line}`);
  }
  if (problems.length > 0)
    throw options.json ? new Failure(`${problems.length} problems found.`) : problemsFound(problems);
  if (connector === null) return;
  const { manifest } = connector;
  const { bundle, code } = sizes(connector) ?? { bundle: 0, code: 0 };
  io.say(`${manifest.name} ${manifest.version} is sound (${kB(bundle)}, of which ${kB(code)} code).`);
}

function compare(earlier: Manifest, now: Manifest): Comparison {
  if (earlier.name === now.name) return compareManifests(earlier, now);
  throw usage(`--against: that is a bundle of ${earlier.name}, not of ${now.name}.`);
}

function versionProblems(
  compared: Comparison | null,
  earlier: Manifest | null,
  built: BuiltConnector | null,
): BuildProblem[] {
  if (compared === null || compared.enough || earlier === null || built === null) return [];
  const place = findInSource(projectDir(), built.ownFiles, '/version');
  const message = `/version is ${built.manifest.version}; what has changed since ${earlier.version} needs ${compared.needs} or higher (a ${compared.step} change).`;
  return [{ ...place, message }];
}

function sizes(built: BuiltConnector | null): { readonly bundle: number; readonly code: number } | null {
  if (built === null) return null;
  return { bundle: Buffer.byteLength(built.text), code: Buffer.byteLength(built.bundle.files['plugin.js']) };
}

function kB(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} kB`;
}

async function tryBuild(
  dir: string,
  entry: string | undefined,
  sbom: boolean,
): Promise<{ connector: BuiltConnector | null; problems: readonly BuildProblem[] }> {
  try {
    const connector = await withEngine((engine) =>
      buildConnector({
        dir,
        ...(entry !== undefined && { entry }),
        sbom,
        describe: describeIn(engine),
      }),
    );
    return { connector, problems: [] };
  } catch (error) {
    if (error instanceof BuildError) return { connector: null, problems: error.problems };
    throw error;
  }
}
