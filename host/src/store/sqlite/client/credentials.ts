import type { CredentialRecord } from '../../../core/records.ts';
import type { CredentialStore } from '../../store.ts';
import type { CredentialRow } from '../rows.ts';
import type { StoreConnection } from './connection.ts';
import { readSeqCursor, toPage } from './cursor.ts';
import { checkLimit, fromMs, ownBytes, toMs } from './values.ts';

export function credentialStore(connection: StoreConnection): CredentialStore {
  return {
    async create(ctx, credential) {
      await connection.call(ctx, 'credentials.create', toRow(credential));
    },
    async list(ctx, tenantId, { limit, cursor }) {
      const range = { tenantId, limit: checkLimit(limit), below: readSeqCursor('credentials', cursor) };
      return toPage('credentials', await connection.call(ctx, 'credentials.list', range), fromRow);
    },
    async forPlugin(ctx, tenantId, plugin) {
      const rows = await connection.call(ctx, 'credentials.forPlugin', { tenantId, plugin });
      return rows.map((row) => fromRow(row));
    },
    async delete(ctx, tenantId, id) {
      return connection.call(ctx, 'credentials.delete', { tenantId, id });
    },
  };
}

function toRow(record: CredentialRecord): CredentialRow {
  const { id, tenant_id, name, plugin, sealed, is_default, created_at } = record;
  return [id, tenant_id, name, plugin, ownBytes(sealed), is_default ? 1 : 0, toMs(created_at)];
}

function fromRow([id, tenantId, name, plugin, sealed, isDefault, createdAt]: CredentialRow): CredentialRecord {
  return {
    id,
    tenant_id: tenantId,
    name,
    plugin,
    sealed,
    is_default: isDefault !== 0,
    created_at: fromMs(createdAt),
  };
}
