import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Engine } from '@goflow/plugin-sdk/runtime';
import { onTestFinished } from 'vitest';
import { newContext } from '../../../src/core/context.ts';
import { createLogging, type LogFields } from '../../../src/core/log.ts';
import { createPlugins } from '../../../src/plugin/plugins.ts';
import type { PluginAdmin, Plugins } from '../../../src/plugin/types.ts';
import type { Store } from '../../../src/store/store.ts';
import { openCleanStore } from './store.ts';

export const CTX = newContext({ tenantId: 'default', userId: 'dev' });
export const BOOTSTRAP: PluginAdmin = { tenantId: 'default', hostWide: true };
export const ACME_ADMIN: PluginAdmin = { tenantId: 'acme', hostWide: false };

/** The part of the engine that plugins need, without a sandbox: for tests of everything but the sandbox. */
export interface LoadingEngine extends Pick<Engine, 'describe' | 'close'> {
  readonly described: string[];
  readonly closed: string[];
  /** Answers of `describe` wait for this. */
  gate: Promise<void>;
}

export function loadingEngine(): LoadingEngine {
  const engine: LoadingEngine = {
    described: [],
    closed: [],
    gate: Promise.resolve(),
    async describe({ code, digest }) {
      engine.described.push(digest);
      await engine.gate;
      const module = { exports: {} as { default?: unknown } };
      try {
        // oxlint-disable-next-line typescript/no-implied-eval -- the test's own code, in place of the sandbox
        new Function('module', 'exports', code)(module, module.exports);
      } catch (error) {
        throw Object.assign(new Error((error as Error).message), { code: 'CONNECTOR_ERROR' });
      }
      return JSON.stringify(module.exports.default ?? null);
    },
    close: (digest) => void engine.closed.push(digest),
  };
  return engine;
}

export interface TestHost {
  readonly plugins: Plugins;
  readonly engine: LoadingEngine;
  readonly store: Store;
  readonly pluginsDir: string;
  readonly dataDir: string;
  readonly logs: LogFields[];
  /** Closes it and opens another one on the same folders and store. */
  restart(): Promise<TestHost>;
}

export interface TestHostOptions {
  readonly firstPartyDigests?: ReadonlySet<string>;
  /** Called before the plugins are opened. */
  readonly prepare?: (dirs: { readonly pluginsDir: string; readonly dataDir: string }) => void;
  readonly engine?: LoadingEngine;
  readonly withoutPluginsDir?: boolean;
}

/** Plugins on folders of their own, gone when the test ends. */
export async function openHost(options: TestHostOptions = {}): Promise<TestHost> {
  const root = temporaryFolder();
  const dirs = { pluginsDir: path.join(root, 'plugins'), dataDir: path.join(root, 'data') };
  if (options.withoutPluginsDir !== true) mkdirSync(dirs.pluginsDir);
  mkdirSync(dirs.dataDir);
  options.prepare?.(dirs);
  return open(dirs, await openCleanStore(), options);
}

async function open(
  dirs: { readonly pluginsDir: string; readonly dataDir: string },
  store: Store,
  options: TestHostOptions,
): Promise<TestHost> {
  const logs: LogFields[] = [];
  const logging = createLogging({ level: 'debug', levels: {}, write: (line) => void logs.push(JSON.parse(line)) });
  const engine = options.engine ?? loadingEngine();
  const firstPartyDigests = options.firstPartyDigests ?? new Set<string>();
  const plugins = await createPlugins({ ...dirs, store, engine, log: logging.for('plugin'), firstPartyDigests });
  onTestFinished(() => plugins.close());
  return {
    ...dirs,
    plugins,
    engine,
    store,
    logs,
    async restart() {
      await plugins.close();
      return open(dirs, store, options);
    },
  };
}

export function temporaryFolder(): string {
  const root = mkdtempSync(path.join(tmpdir(), 'goflow-plugin-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return root;
}
