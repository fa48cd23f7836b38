import type { PluginSettingsRecord, PluginVersionRecord } from '../../../core/records.ts';
import type { PluginStore } from '../../store.ts';
import type { PluginSettingsRow, PluginVersionRow } from '../rows.ts';
import type { StoreConnection } from './connection.ts';
import { fromMs, jsonOrNull, parsed, parsedOrNull, toMs } from './values.ts';

export function pluginStore(connection: StoreConnection): PluginStore {
  return {
    async addVersion(ctx, version) {
      await connection.call(ctx, 'plugins.addVersion', toVersionRow(version));
    },
    async removeVersions(ctx, tenantId, name) {
      const rows = await connection.call(ctx, 'plugins.removeVersions', { tenantId, name });
      return rows.map((row) => fromVersionRow(row));
    },
    async listVersions(ctx) {
      const rows = await connection.call(ctx, 'plugins.listVersions', null);
      return rows.map((row) => fromVersionRow(row));
    },
    async putSettings(ctx, settings) {
      await connection.call(ctx, 'plugins.putSettings', toSettingsRow(settings));
    },
    async listSettings(ctx) {
      const rows = await connection.call(ctx, 'plugins.listSettings', null);
      return rows.map((row) => fromSettingsRow(row));
    },
  };
}

function toVersionRow(record: PluginVersionRecord): PluginVersionRow {
  const { name, version, tenant_id, digest, manifest, file, installed_at } = record;
  return [name, version, tenant_id, digest, JSON.stringify(manifest), file, toMs(installed_at)];
}

function fromVersionRow(row: PluginVersionRow): PluginVersionRecord {
  const [name, version, tenantId, digest, manifest, file, installedAt] = row;
  return {
    name,
    version,
    tenant_id: tenantId,
    digest,
    manifest: parsed(manifest),
    file,
    installed_at: fromMs(installedAt),
  };
}

function toSettingsRow(record: PluginSettingsRecord): PluginSettingsRow {
  const { name, tenant_id, granted, decided, enabled, pinned_version } = record;
  return [name, tenant_id, jsonOrNull(granted), jsonOrNull(decided), enabled ? 1 : 0, pinned_version];
}

function fromSettingsRow([name, tenantId, granted, decided, enabled, pinned]: PluginSettingsRow): PluginSettingsRecord {
  return {
    name,
    tenant_id: tenantId,
    granted: parsedOrNull(granted),
    decided: parsedOrNull(decided),
    enabled: enabled !== 0,
    pinned_version: pinned,
  };
}
