import type { PluginStorageStore } from '../../store.ts';
import type { StoreConnection } from './connection.ts';

export function pluginStorageStore(connection: StoreConnection): PluginStorageStore {
  return {
    get: (ctx, tenantId, plugin, key) => connection.call(ctx, 'storage.get', { tenantId, plugin, key }),
    set: (ctx, tenantId, plugin, key, json) => connection.call(ctx, 'storage.set', { tenantId, plugin, key, json }),
    delete: (ctx, tenantId, plugin, key) => connection.call(ctx, 'storage.delete', { tenantId, plugin, key }),
    list: (ctx, tenantId, plugin, prefix) => connection.call(ctx, 'storage.list', { tenantId, plugin, prefix }),
  };
}
