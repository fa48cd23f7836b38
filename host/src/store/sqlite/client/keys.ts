import type { KeyRecord, Role } from '../../../core/records.ts';
import type { KeyStore } from '../../store.ts';
import type { KeyRow } from '../rows.ts';
import type { StoreConnection } from './connection.ts';
import { readSeqCursor, toPage } from './cursor.ts';
import { checkLimit, fromMs, fromMsOrNull, ownBytes, toMs, toMsOrNull } from './values.ts';

export function keyStore(connection: StoreConnection): KeyStore {
  return {
    async create(ctx, key) {
      await connection.call(ctx, 'keys.create', toRow(key));
    },
    async findByHash(ctx, hash) {
      const row = await connection.call(ctx, 'keys.findByHash', ownBytes(hash));
      return row === null ? null : fromRow(row);
    },
    async list(ctx, tenantId, { limit, cursor }) {
      const range = { tenantId, limit: checkLimit(limit), below: readSeqCursor('keys', cursor) };
      return toPage('keys', await connection.call(ctx, 'keys.list', range), fromRow);
    },
    async delete(ctx, tenantId, id) {
      return connection.call(ctx, 'keys.delete', { tenantId, id });
    },
    async any(ctx) {
      return connection.call(ctx, 'keys.any', null);
    },
  };
}

function toRow(record: KeyRecord): KeyRow {
  const { id, hash, name, role, tenant_id, user_id, created_at, expires_at } = record;
  return [id, ownBytes(hash), name, role, tenant_id, user_id, toMs(created_at), toMsOrNull(expires_at)];
}

function fromRow([id, hash, name, role, tenantId, userId, createdAt, expiresAt]: KeyRow): KeyRecord {
  return {
    id,
    name,
    role: role as Role,
    tenant_id: tenantId,
    user_id: userId,
    hash,
    created_at: fromMs(createdAt),
    expires_at: fromMsOrNull(expiresAt),
  };
}
