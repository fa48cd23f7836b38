import type { Engine } from '../runtime/engine/types.ts';
import { BuildError, formatProblem } from '../build/problem.ts';
import { type BuildArguments, buildOnce } from './build-once.ts';
import { ChangeSignal } from './changes.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import { projectDir } from './project.ts';

/** Builds, and again after each change of the sources, until the process is told to end. */
export async function watchAndBuild(engine: Engine, options: BuildArguments, io: Io): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const changes = new ChangeSignal(projectDir(), options.out);
  try {
    while (!stop.signal.aborted) {
      await buildOnce(engine, options, io).catch((error: unknown) => {
        if (error instanceof BuildError) io.say(error.problems.map(formatProblem).join('\n'));
        else if (error instanceof Failure) io.say(error.message);
        else throw error;
      });
      io.say('Watching for changes; end with Ctrl-C.');
      await changes.next(stop.signal);
    }
  } finally {
    changes.close();
  }
}
