import type { Db, Sql } from '../db.ts';
import type { AuditRow, SeqPage, SeqRange } from '../rows.ts';
import { seqPage } from './seq-page.ts';

const COLUMNS = 'id, at, tenant_id, user_id, key_id, role, action, target, outcome, code, trace_id, details';

export interface AuditListArgs extends SeqRange {
  /** Inclusive. */
  readonly since: number | null;
  /** Exclusive. */
  readonly until: number | null;
  /** A user or the id of a key. */
  readonly actor: string | null;
  readonly action: string | null;
}

export function appendAudit(db: Db, row: AuditRow): void {
  db.change(`INSERT INTO audit (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, row);
}

export function listAudit(db: Db, args: AuditListArgs): SeqPage<AuditRow> {
  const where: string[] = [];
  const values: Sql[] = [];
  const add = (condition: string, ...given: Sql[]): void => {
    where.push(condition);
    values.push(...given);
  };
  if (args.since !== null) add('at >= ?', args.since);
  if (args.until !== null) add('at < ?', args.until);
  if (args.actor !== null) add('(user_id = ? OR key_id = ?)', args.actor, args.actor);
  if (args.action !== null) add('action = ?', args.action);
  const conditions = ['tenant_id = ?', ...where].join(' AND ');
  return seqPage<AuditRow>(db, `SELECT seq, ${COLUMNS} FROM audit WHERE ${conditions}`, 'seq', args, values);
}
