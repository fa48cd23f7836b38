import { type FSWatcher, watch } from 'node:fs';
import path from 'node:path';
import type { Engine } from '../runtime/engine/types.ts';
import { BuildError, formatProblem } from '../build/problem.ts';
import { type BuildArguments, buildOnce } from './build-once.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import { projectDir } from './project.ts';

/** Editors write a file in several steps. */
const SETTLE_MS = 30;

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

/** Tells of changes in a project, its output and packages left out. */
class ChangeSignal {
  readonly #watcher: FSWatcher;
  #changed = false;
  #wake: (() => void) | null = null;

  constructor(dir: string, out: string) {
    const outDir = path.relative(dir, path.resolve(dir, out)).replaceAll(path.sep, '/');
    this.#watcher = watch(dir, { recursive: true }, (_event, name) => {
      const file = (name ?? '').replaceAll(path.sep, '/');
      if (
        file.startsWith('node_modules') ||
        file.startsWith('.git') ||
        file === outDir ||
        file.startsWith(`${outDir}/`)
      )
        return;
      this.#changed = true;
      this.#wake?.();
    });
  }

  /** Resolves after the next change (at once, if there was one since the last call), or when the signal fires. */
  async next(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (this.#changed || signal.aborted) resolve();
    });
    this.#wake = null;
    if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    this.#changed = false;
  }

  close(): void {
    this.#watcher.close();
  }
}
