import type { Db } from '../db.ts';

export type VaultKeyRow = readonly [name: string, wrapped: Uint8Array];

export function getVaultKey(db: Db, name: string): Uint8Array | null {
  return db.row<readonly [Uint8Array]>('SELECT wrapped FROM vault_keys WHERE name = ?', [name])?.[0] ?? null;
}

/** The first one to add a key wins; answers what is stored. */
export function addVaultKey(db: Db, row: VaultKeyRow): Uint8Array {
  db.change('INSERT INTO vault_keys (name, wrapped) VALUES (?, ?) ON CONFLICT DO NOTHING', row);
  return getVaultKey(db, row[0]) ?? row[1];
}

export function listVaultKeys(db: Db): readonly VaultKeyRow[] {
  return db.rows<VaultKeyRow>('SELECT name, wrapped FROM vault_keys ORDER BY name');
}

/** Replaces the wrapped form of keys that are there, all or none. Answers false, with nothing changed, when the stored names are not these. */
export function replaceVaultKeys(db: Db, rows: readonly VaultKeyRow[]): boolean {
  const stored = new Set(listVaultKeys(db).map(([name]) => name));
  if (stored.size !== rows.length || rows.some(([name]) => !stored.has(name))) return false;
  for (const [name, wrapped] of rows) {
    db.change('UPDATE vault_keys SET wrapped = ? WHERE name = ?', [wrapped, name]);
  }
  return true;
}
