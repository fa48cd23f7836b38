import type { Db } from '../db.ts';

export interface StorageKey {
  readonly tenantId: string;
  readonly plugin: string;
  readonly key: string;
}

export function getStorage(db: Db, at: StorageKey): string | null {
  const row = db.row<readonly [string]>(
    'SELECT json FROM plugin_storage WHERE tenant_id = ? AND plugin = ? AND key = ?',
    [at.tenantId, at.plugin, at.key],
  );
  return row?.[0] ?? null;
}

export function setStorage(db: Db, at: StorageKey & { readonly json: string }): void {
  db.change(
    `INSERT INTO plugin_storage (tenant_id, plugin, key, json) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET json = excluded.json`,
    [at.tenantId, at.plugin, at.key, at.json],
  );
}

export function deleteStorage(db: Db, at: StorageKey): void {
  db.change('DELETE FROM plugin_storage WHERE tenant_id = ? AND plugin = ? AND key = ?', [
    at.tenantId,
    at.plugin,
    at.key,
  ]);
}

/** Keys that begin with `prefix`, sorted. */
export function listStorage(
  db: Db,
  at: { readonly tenantId: string; readonly plugin: string; readonly prefix: string },
): readonly string[] {
  const rows = db.rows<readonly [string]>(
    `SELECT key FROM plugin_storage WHERE tenant_id = ? AND plugin = ? AND key >= ? AND substr(key, 1, length(?)) = ?
     ORDER BY key`,
    [at.tenantId, at.plugin, at.prefix, at.prefix, at.prefix],
  );
  return rows.map(([key]) => key);
}
