import { newContext, type Context } from '../core/context.ts';
import type { PluginStorageStore } from '../store/store.ts';
import type { Vault } from './vault.ts';

export interface StorageScope {
  readonly tenantId: string;
  readonly plugin: string;
  /** Monotonic deadline of the call that asks. */
  readonly deadline: number;
  /** Fires when that call is over. */
  readonly signal: AbortSignal;
}

/** `ctx.storage` of connectors as the broker asks for it. */
export interface SealedStorage {
  get(scope: StorageScope, key: string): Promise<string | null>;
  set(scope: StorageScope, key: string, json: string): Promise<void>;
  delete(scope: StorageScope, key: string): Promise<void>;
  list(scope: StorageScope, prefix: string): Promise<readonly string[]>;
}

/**
 * What connectors keep is sealed as credentials are: they keep tokens that they were given by the services they talk to. The names of the keys stay
 * readable, because they are searched by prefix.
 */
export function createSealedStorage(store: PluginStorageStore, vault: Pick<Vault, 'seal' | 'open'>): SealedStorage {
  return {
    async get(scope, key) {
      const { tenantId, plugin } = scope;
      const sealed = await store.get(contextOf(scope), tenantId, plugin, key);
      return sealed === null ? null : vault.open(tenantId, Buffer.from(sealed, 'base64'), purposeOf(plugin, key));
    },
    async set(scope, key, json) {
      const { tenantId, plugin } = scope;
      const sealed = Buffer.from(await vault.seal(tenantId, json, purposeOf(plugin, key)));
      await store.set(contextOf(scope), tenantId, plugin, key, sealed.toString('base64'));
    },
    delete: (scope, key) => store.delete(contextOf(scope), scope.tenantId, scope.plugin, key),
    list: (scope, prefix) => store.list(contextOf(scope), scope.tenantId, scope.plugin, prefix),
  };
}

/** The store refuses what comes when the call is over: nothing of it is written any more. */
function contextOf({ tenantId, deadline, signal }: StorageScope): Context {
  return newContext({ tenantId, userId: 'connector', deadline, signal });
}

/** JSON of both: a value opens under its own key of its own plugin alone. */
function purposeOf(plugin: string, key: string): string {
  return `storage:${JSON.stringify([plugin, key])}`;
}
