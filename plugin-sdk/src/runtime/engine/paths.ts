import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** Where the engine's bundles are: from the sources and from a bundle alike, they are found through the package's exports. */
export function engineEntry(): string {
  return createRequire(import.meta.url).resolve('@goflow/plugin-sdk/engine');
}

/**
 * The arguments of Node that take every right from an engine process but to read its own code and to start threads: without
 * `--allow-*` there is no network, no file system, no child process, no addon, no WASI and no inspector. `confine.js` closes what the permission
 * model leaves open to a process that may start threads.
 */
export function engineArguments(entry: string, settings: object): string[] {
  return [
    '--permission',
    '--allow-worker',
    `--allow-fs-read=${path.dirname(entry)}`,
    // `--allow-worker` is safe here because the threads run our own code, which holds the plugin's.
    '--disable-warning=PERM0006',
    `--import=${pathToFileURL(path.join(path.dirname(entry), 'confine.js')).href}`,
    entry,
    JSON.stringify(settings),
  ];
}
