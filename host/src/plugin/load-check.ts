import { type JsonValue, LOAD_TIMEOUT_MS } from '@goflow/plugin-sdk/contract';
import type { Engine } from '@goflow/plugin-sdk/runtime';
import type { BundleMemory } from './bundle-memory.ts';
import type { LoadedPlugin } from './types.ts';

/** Loads a bundle's code once in the sandbox, before it is offered to anybody: code that throws or does not end is refused. */
export interface LoadChecks {
  /** Whether the code is known to load. First-party bundles are: they were built by loading them. */
  passed(plugin: LoadedPlugin): boolean;
  /** Null when the code is sound, else the reason. `urgent`: somebody waits for it, and will use it. Rejects when the sandbox itself is not to be had. */
  check(plugin: LoadedPlugin, options: { readonly urgent: boolean }): Promise<string | null>;
  /** Checks that wait are dropped: their promises reject. */
  close(): void;
}

export interface LoadCheckOptions {
  readonly engine: Pick<Engine, 'describe' | 'close'>;
  readonly memory: Pick<BundleMemory, 'loads' | 'rememberLoads'>;
}

/** Codes of `describe` that are the sandbox's fault; anything else is the plugin's own, which may throw what codes it likes. */
const SANDBOX_FAULTS = new Set(['PLUGIN_UNAVAILABLE', 'INTERRUPTED', 'CANCELLED']);
/** Checks at once that somebody waits for; of the others one at a time, so that a first start leaves the machine to the runs. */
const AT_ONCE = 2;

export class LoadCheckUnavailable extends Error {
  override readonly name = 'LoadCheckUnavailable';
}

export function createLoadChecks(options: LoadCheckOptions): LoadChecks {
  const waiting: Array<{ readonly urgent: boolean; readonly run: () => Promise<void>; readonly drop: () => void }> = [];
  const running = new Map<string, Promise<string | null>>();
  let active = 0;
  let closed = false;

  /** Keeps the worker of code that is about to be used; a thousand of a first start would be a thousand threads. */
  async function load(plugin: LoadedPlugin, keep: boolean): Promise<string | null> {
    const reason = await options.engine
      .describe(plugin.bundle, LOAD_TIMEOUT_MS)
      .then((text) => disagreement(plugin, text), refusalOf)
      .catch((error: unknown) => {
        options.engine.close(plugin.digest);
        throw error;
      });
    if (reason === null) options.memory.rememberLoads(plugin.digest);
    if (reason !== null || !keep) options.engine.close(plugin.digest);
    return reason;
  }

  function passed(plugin: LoadedPlugin): boolean {
    return plugin.firstParty || options.memory.loads(plugin.digest);
  }

  function next(): void {
    while (waiting[0] !== undefined && active < (waiting[0].urgent ? AT_ONCE : 1)) {
      active += 1;
      void waiting.shift()?.run();
    }
  }

  function queued(plugin: LoadedPlugin, urgent: boolean): Promise<string | null> {
    const { promise, resolve, reject } = Promise.withResolvers<string | null>();
    const job = {
      urgent,
      async run() {
        await load(plugin, urgent).then(resolve, reject);
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
    passed,
    check(plugin, { urgent }) {
      if (closed) return Promise.reject(new LoadCheckUnavailable('the host is shutting down'));
      if (passed(plugin)) return Promise.resolve(null);
      let promise = running.get(plugin.digest);
      if (promise === undefined) running.set(plugin.digest, (promise = queued(plugin, urgent)));
      return promise;
    },
    close() {
      closed = true;
      for (const job of waiting.splice(0)) job.drop();
    },
  };
}

/** What `describe` rejected with, read as unknown: it carries what a stranger's code threw. */
function refusalOf(error: unknown): string {
  const data = (error as { error?: unknown } | null | undefined)?.error ?? error;
  const { code, message } = (data ?? {}) as { code?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message.slice(0, 1000) : 'no reason was given';
  if (typeof code !== 'string' || SANDBOX_FAULTS.has(code)) {
    throw new LoadCheckUnavailable(`the code could not be loaded in the sandbox: ${text}`, { cause: error });
  }
  if (code === 'DEADLINE_EXCEEDED') return `its code does not end within ${LOAD_TIMEOUT_MS / 1000} s when it is loaded`;
  return `its code cannot be loaded in the sandbox: ${code === 'CONNECTOR_ERROR' ? '' : `${code}: `}${text}`;
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
