import { createRequire } from 'node:module';
import path from 'node:path';

/** Where the engine's bundles are: from the sources and from a bundle alike, they are found through the package's exports. */
export function engineEntry(): string {
  return createRequire(import.meta.url).resolve('@goflow/plugin-sdk/engine');
}

/**
 * The arguments of Node that take every right from an engine process but to read its own code and to start threads: without
 * `--allow-*` there is no network, no file system, no child process, no addon, no WASI and no inspector.
 */
export function engineArguments(entry: string, settings: object): string[] {
  return [
    '--permission',
    '--allow-worker',
    `--allow-fs-read=${path.dirname(entry)}`,
    // `--allow-worker` is safe here because the threads run our own code, which holds the plugin's.
    '--disable-warning=PERM0006',
    entry,
    JSON.stringify(settings),
  ];
}
