import type { PluginStorage } from '../runtime/broker/broker.ts';

/** `ctx.storage` for one connector under test: kept until it is closed. */
export function memoryStorage(): PluginStorage {
  const values = new Map<string, string>();
  return {
    async get(_scope, key) {
      return values.get(key) ?? null;
    },
    async set(_scope, key, json) {
      values.set(key, json);
    },
    async delete(_scope, key) {
      values.delete(key);
    },
    async list(_scope, prefix) {
      return [...values.keys()].filter((key) => key.startsWith(prefix));
    },
  };
}
