import { RUN_STATUSES, type RunStatus } from '../../../core/records.ts';
import type { Db, Sql } from '../db.ts';
import type { RunRow } from '../rows.ts';
import { ENDED, RUN_COLUMNS, UNFINISHED } from './runs.ts';

/** Bytes of JSON in one page, roughly: a page of large runs ends early, so that no list keeps the commits waiting. */
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
  /** Where the next page begins; null at the end of the list. */
  readonly next: RunPosition | null;
}

/** Newest first. */
export function listRuns(db: Db, args: RunListArgs): RunListPage {
  const statuses = args.status === null ? RUN_STATUSES : [args.status];
  const found = statuses
    .flatMap((status) => positions(db, args, status))
    .sort(([at, seq], [otherAt, otherSeq]) => otherAt - at || otherSeq - seq);
  const rows: RunRow[] = [];
  let bytes = 0;
  let last: RunPosition | null = null;
  for (const position of found) {
    if (rows.length === args.limit || bytes > PAGE_BYTES) return { rows, next: last };
    last = position;
    const row = db.row<RunRow>(`SELECT ${RUN_COLUMNS} FROM runs WHERE seq = ?`, [position[1]]);
    if (row === null) continue;
    bytes += sizeOf(row);
    rows.push(row);
  }
  return { rows, next: null };
}

/** The places of the newest runs of one status, one more than a page has. */
function positions(db: Db, args: RunListArgs, status: RunStatus): readonly RunPosition[] {
  const unfinished = status === 'queued' || status === 'running';
  // The term that an index is limited by has to stand in the query as it stands there.
  const where = ['tenant_id = ?', 'status = ?', unfinished ? UNFINISHED : ENDED];
  const index = unfinished ? 'runs_unfinished' : args.workflowId === null ? 'runs_by_tenant' : 'runs_by_workflow';
  const values: Sql[] = [args.tenantId, status];
  if (args.workflowId !== null) {
    where.push('workflow_id = ?');
    values.push(args.workflowId);
  }
  if (args.since !== null) {
    where.push('created_at >= ?');
    values.push(args.since);
  }
  if (args.until !== null) {
    where.push('created_at < ?');
    values.push(args.until);
  }
  if (args.before !== null) {
    where.push('(created_at, seq) < (?, ?)');
    values.push(...args.before);
  }
  return db.rows<RunPosition>(
    `SELECT created_at, seq FROM runs INDEXED BY ${index}
     WHERE ${where.join(' AND ')} ORDER BY created_at DESC, seq DESC LIMIT ?`,
    [...values, args.limit + 1],
  );
}

function sizeOf(row: RunRow): number {
  let bytes = 200;
  for (const value of row) if (typeof value === 'string') bytes += value.length;
  return bytes;
}
