import type { Db } from '../db.ts';
import { Refusal } from '../failure.ts';
import type { CredentialRow, SeqPage, SeqRange } from '../rows.ts';
import { seqPage } from './seq-page.ts';

const COLUMNS = 'id, tenant_id, name, plugin, sealed, is_default, created_at';

/** A new default takes the place of the one before. */
export function createCredential(db: Db, row: CredentialRow): void {
  const [id, tenantId, name, plugin, , isDefault] = row;
  const taken = db.row<readonly [string]>(
    'SELECT id FROM credentials WHERE (tenant_id = ? AND plugin = ? AND name = ?) OR id = ?',
    [tenantId, plugin, name, id],
  );
  if (taken !== null) {
    throw new Refusal('CONFLICT', `there is a credential "${name}" for plugin ${plugin} already (${taken[0]})`);
  }
  if (isDefault !== 0) {
    db.change('UPDATE credentials SET is_default = 0 WHERE tenant_id = ? AND plugin = ? AND is_default <> 0', [
      tenantId,
      plugin,
    ]);
  }
  db.change(`INSERT INTO credentials (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`, row);
}

export function listCredentials(db: Db, range: SeqRange): SeqPage<CredentialRow> {
  return seqPage<CredentialRow>(db, `SELECT seq, ${COLUMNS} FROM credentials WHERE tenant_id = ?`, 'seq', range);
}

export function credentialsForPlugin(
  db: Db,
  args: { readonly tenantId: string; readonly plugin: string },
): readonly CredentialRow[] {
  return db.rows<CredentialRow>(`SELECT ${COLUMNS} FROM credentials WHERE tenant_id = ? AND plugin = ? ORDER BY seq`, [
    args.tenantId,
    args.plugin,
  ]);
}

export function deleteCredential(db: Db, args: { readonly tenantId: string; readonly id: string }): boolean {
  return db.change('DELETE FROM credentials WHERE id = ? AND tenant_id = ?', [args.id, args.tenantId]) > 0;
}
