import { GoflowError } from '../../../src/core/errors.ts';
import type {
  CredentialRecord,
  KeyRecord,
  PluginSettingsRecord,
  PluginVersionRecord,
} from '../../../src/core/records.ts';
import type { Store } from '../../../src/store/store.ts';

/** The plugins, credentials and keys of a store, in memory. */
export function memoryStore(): Store {
  let versions: PluginVersionRecord[] = [];
  let settings: PluginSettingsRecord[] = [];
  let credentials: CredentialRecord[] = [];
  let keys: KeyRecord[] = [];
  const store: Pick<Store, 'plugins' | 'credentials' | 'keys'> = {
    plugins: {
      async addVersion(_ctx, version) {
        versions.push(version);
      },
      async removeVersions(_ctx, tenantId, name) {
        const gone = versions.filter((one) => one.tenant_id === tenantId && one.name === name);
        versions = versions.filter((one) => !gone.includes(one));
        return gone;
      },
      listVersions: async () => [...versions],
      async putSettings(_ctx, record) {
        settings = [
          ...settings.filter((one) => one.name !== record.name || one.tenant_id !== record.tenant_id),
          record,
        ];
      },
      listSettings: async () => [...settings],
    },
    credentials: {
      async create(_ctx, credential) {
        const same = (one: CredentialRecord) =>
          one.tenant_id === credential.tenant_id && one.plugin === credential.plugin && one.name === credential.name;
        if (credentials.some(same)) throw new GoflowError('CONFLICT', 'there is one of that name');
        credentials.push(credential);
      },
      list: async (_ctx, tenantId) => ({
        items: credentials.filter((one) => one.tenant_id === tenantId),
        next_cursor: null,
      }),
      forPlugin: async (_ctx, tenantId, plugin) =>
        credentials.filter((one) => one.tenant_id === tenantId && one.plugin === plugin),
      async delete(_ctx, tenantId, id) {
        const before = credentials.length;
        credentials = credentials.filter((one) => one.tenant_id !== tenantId || one.id !== id);
        return credentials.length < before;
      },
    },
    keys: {
      async create(_ctx, key) {
        keys.push(key);
      },
      findByHash: async (_ctx, hash) => keys.find((one) => Buffer.compare(one.hash, hash) === 0) ?? null,
      list: async (_ctx, tenantId) => ({ items: keys.filter((one) => one.tenant_id === tenantId), next_cursor: null }),
      async delete(_ctx, tenantId, id) {
        const before = keys.length;
        keys = keys.filter((one) => one.tenant_id !== tenantId || one.id !== id);
        return keys.length < before;
      },
      any: async () => keys.length > 0,
    },
  };
  return store as Store;
}
