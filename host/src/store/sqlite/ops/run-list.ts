import type { RunStatus } from '../../../core/records.ts';
import type { Db, Sql } from '../db.ts';
import type { RunRow } from '../rows.ts';
import { RUN_COLUMNS } from './runs.ts';

/** Index entries looked at by one call: a filter that few rows pass is answered in several calls, between which commits go on. */
const EXAMINED = 5000;

/** Bytes of JSON in one page, roughly; a page of large runs ends early. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** A place in the list: it goes on with what is older than that. */
export type RunPosition = readonly [createdAt: number, seq: number];

export interface RunListArgs {
  readonly tenantId: string;
  readonly workflowId: string | null;
  readonly status: RunStatus | null;
  /** Inclusive. */
  readonly since: number | null;
  /** Exclusive. */
  readonly until: number | null;
  readonly limit: number;
  readonly before: RunPosition | null;
}

export interface RunListPage {
  readonly rows: readonly RunRow[];
  /** Where the next call goes on; null at the end of the list. */
  readonly next: RunPosition | null;
  /** The page is as full as it gets; false: the call ended at its bound of work and the next one fills up. */
  readonly full: boolean;
}

/** Newest first. */
export function listRuns(db: Db, args: RunListArgs): RunListPage {
  const { sql, values } = candidates(args);
  const residual = args.workflowId !== null;
  const take = residual ? EXAMINED : args.limit + 1;
  const found = db.rows<readonly [seq: number, createdAt: number]>(sql, [...values, take]);
  const rows: RunRow[] = [];
  let bytes = 0;
  let last: RunPosition | null = null;
  for (const [seq, createdAt] of found) {
    if (rows.length === args.limit || bytes > PAGE_BYTES) return { rows, next: last, full: true };
    last = [createdAt, seq];
    const row = db.row<RunRow>(`SELECT ${RUN_COLUMNS} FROM runs WHERE seq = ?`, [seq]);
    if (row === null || row[1] !== args.tenantId || (args.status !== null && row[4] !== args.status)) continue;
    bytes += sizeOf(row);
    rows.push(row);
  }
  return { rows, next: found.length === take ? last : null, full: rows.length === args.limit };
}

/** The index that fits the filter best; its order is the list's. */
function candidates(args: RunListArgs): { readonly sql: string; readonly values: readonly Sql[] } {
  const where: string[] = [];
  const values: Sql[] = [];
  const add = (condition: string, ...bound: readonly Sql[]): void => {
    where.push(condition);
    values.push(...bound);
  };
  let index = 'runs_by_tenant';
  if (args.workflowId !== null) {
    index = 'runs_by_workflow';
    add('workflow_id = ?', args.workflowId);
  } else {
    add('tenant_id = ?', args.tenantId);
    if (args.status !== null) {
      index = 'runs_by_status';
      add('status = ?', args.status);
    }
  }
  if (args.since !== null) add('created_at >= ?', args.since);
  if (args.until !== null) add('created_at < ?', args.until);
  if (args.before !== null) add('(created_at, seq) < (?, ?)', ...args.before);
  const sql = `SELECT seq, created_at FROM runs INDEXED BY ${index} WHERE ${where.join(' AND ')}
    ORDER BY created_at DESC, seq DESC LIMIT ?`;
  return { sql, values };
}

function sizeOf(row: RunRow): number {
  let bytes = 200;
  for (const value of row) if (typeof value === 'string') bytes += value.length;
  return bytes;
}
