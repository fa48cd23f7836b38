import type { Db } from '../db.ts';
import { Refusal } from '../failure.ts';
import type { KeyRow, SeqPage, SeqRange } from '../rows.ts';
import { seqPage } from './seq-page.ts';

const COLUMNS = 'id, hash, name, role, tenant_id, user_id, created_at, expires_at';

export function createKey(db: Db, row: KeyRow): void {
  const [id, hash] = row;
  if (db.row('SELECT 1 FROM api_keys WHERE id = ? OR hash = ?', [id, hash]) !== null) {
    throw new Refusal('CONFLICT', `key "${id}" is there already`);
  }
  db.change(`INSERT INTO api_keys (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, row);
}

export function findKeyByHash(db: Db, hash: Uint8Array): KeyRow | null {
  return db.row<KeyRow>(`SELECT ${COLUMNS} FROM api_keys WHERE hash = ?`, [hash]);
}

export function listKeys(db: Db, range: SeqRange): SeqPage<KeyRow> {
  return seqPage<KeyRow>(db, `SELECT seq, ${COLUMNS} FROM api_keys WHERE tenant_id = ?`, 'seq', range);
}

export function deleteKey(db: Db, args: { readonly tenantId: string; readonly id: string }): boolean {
  return db.change('DELETE FROM api_keys WHERE id = ? AND tenant_id = ?', [args.id, args.tenantId]) > 0;
}

export function anyKey(db: Db): boolean {
  return db.row('SELECT 1 FROM api_keys LIMIT 1') !== null;
}
