import { readFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { type JsonValue, LOAD_TIMEOUT_MS } from '@goflow/plugin-sdk/contract';
import type { Engine } from '@goflow/plugin-sdk/runtime';
import type { LoadedPlugin } from './types.ts';

/**
 * Loads a bundle's code once in the sandbox, before it is offered to anybody: code that throws or does not end is refused. The digests of
 * what passed are remembered in a file, so that a restart does not run a thousand bundles again; a refusal is not, because a busy machine
 * can be its cause.
 */
export interface LoadChecks {
  passed(digest: string): boolean;
  /** Null when the code is sound, else the reason. `urgent` goes before what waits. Rejects when the sandbox itself is not to be had. */
  check(plugin: LoadedPlugin, options: { readonly urgent: boolean }): Promise<string | null>;
  /** Checks that wait are dropped: their promises reject. */
  close(): Promise<void>;
}

export interface LoadCheckOptions {
  readonly engine: Pick<Engine, 'describe' | 'close'>;
  /** Where digests are remembered; a missing file is an empty one. */
  readonly file: string;
  /** Whether the digest is in use, so that its pool is kept after the check. */
  readonly inUse: (digest: string) => boolean;
}

/** Codes of `describe` that are the plugin's own fault; anything else is the sandbox's. */
const PLUGIN_FAULTS = new Set([
  'CONNECTOR_ERROR',
  'DEADLINE_EXCEEDED',
  'OUT_OF_MEMORY',
  'PLUGIN_CRASHED',
  'RESULT_NOT_JSON',
  'RESULT_TOO_LARGE',
]);
const AT_ONCE = 2;

export class LoadCheckUnavailable extends Error {
  override readonly name = 'LoadCheckUnavailable';
}

export function createLoadChecks(options: LoadCheckOptions): LoadChecks {
  const passed = readDigests(options.file);
  const waiting: Array<{ readonly run: () => Promise<void>; readonly drop: () => void }> = [];
  const running = new Map<string, Promise<string | null>>();
  let active = 0;
  let closed = false;
  let written: Promise<void> = Promise.resolve();

  function remember(digest: string): void {
    passed.add(digest);
    // Losing this line costs one more check after a restart, nothing else.
    written = written.then(() => appendFile(options.file, `${digest}\n`, { mode: 0o600 })).catch(() => {});
  }

  async function load(plugin: LoadedPlugin): Promise<string | null> {
    let text: string;
    try {
      text = await options.engine.describe(plugin.bundle, LOAD_TIMEOUT_MS);
    } catch (error) {
      return refusalOf(error);
    } finally {
      if (!options.inUse(plugin.digest)) options.engine.close(plugin.digest);
    }
    const fault = disagreement(plugin, text);
    if (fault === null) remember(plugin.digest);
    return fault;
  }

  function next(): void {
    while (active < AT_ONCE && waiting.length > 0) {
      active += 1;
      void waiting.shift()?.run();
    }
  }

  function queued(plugin: LoadedPlugin, urgent: boolean): Promise<string | null> {
    const { promise, resolve, reject } = Promise.withResolvers<string | null>();
    const job = {
      async run() {
        await load(plugin).then(resolve, reject);
        active -= 1;
        next();
      },
      drop: () => reject(new LoadCheckUnavailable('the host is shutting down')),
    };
    if (urgent) waiting.unshift(job);
    else waiting.push(job);
    next();
    return promise.finally(() => running.delete(plugin.digest));
  }

  return {
    passed: (digest) => passed.has(digest),
    check(plugin, { urgent }) {
      if (closed) return Promise.reject(new LoadCheckUnavailable('the host is shutting down'));
      if (passed.has(plugin.digest)) return Promise.resolve(null);
      let promise = running.get(plugin.digest);
      if (promise === undefined) running.set(plugin.digest, (promise = queued(plugin, urgent)));
      return promise;
    },
    async close() {
      closed = true;
      for (const job of waiting.splice(0)) job.drop();
      await written;
    },
  };
}

function readDigests(file: string): Set<string> {
  try {
    return new Set(
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('sha256-')),
    );
  } catch {
    return new Set();
  }
}

/** What `describe` rejected with, read as unknown: it carries what a stranger's code threw. */
function refusalOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message.slice(0, 1000) : 'no reason was given';
  if (typeof code !== 'string' || !PLUGIN_FAULTS.has(code)) {
    throw new LoadCheckUnavailable(`the code could not be loaded in the sandbox: ${text}`, { cause: error });
  }
  if (code === 'DEADLINE_EXCEEDED') return `its code does not end within ${LOAD_TIMEOUT_MS / 1000} s when it is loaded`;
  return `its code cannot be loaded in the sandbox: ${code}: ${text}`;
}

/** Why the definition that the code exports is not the one of the manifest; null when it is. */
function disagreement(plugin: LoadedPlugin, text: string): string | null {
  let definition: JsonValue;
  try {
    definition = JSON.parse(text) as JsonValue;
  } catch {
    return 'its code does not export a connector: the definition is not JSON';
  }
  const { name, version, actions } = (definition ?? {}) as { name?: unknown; version?: unknown; actions?: unknown };
  if (typeof actions !== 'object' || actions === null) {
    return 'its code does not export a connector: "export default defineConnector({ … })" is missing';
  }
  const { manifest } = plugin;
  if (name !== manifest.name || version !== manifest.version) {
    return `its code defines ${String(name).slice(0, 100)} ${String(version).slice(0, 100)}, its manifest says ${manifest.name} ${manifest.version}`;
  }
  const defined = Object.keys(actions).sort();
  const declared = Object.keys(manifest.actions).sort();
  if (defined.length === declared.length && defined.every((id, index) => id === declared[index])) return null;
  return `its code has the actions ${defined.join(', ').slice(0, 500) || '(none)'}, its manifest says ${declared.join(', ').slice(0, 500)}`;
}
