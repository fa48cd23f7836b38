import { type FSWatcher, watch } from 'node:fs';
import path from 'node:path';

/** Editors write a file in several steps. */
const SETTLE_MS = 30;

/** Tells of changes in a project, its output and packages left out. */
export class ChangeSignal {
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
