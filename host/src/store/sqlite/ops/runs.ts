import type { Db } from '../db.ts';
import type { AcceptedRow, EndRow, IdempotencyRow, InternalsRow, WholeRunRow } from '../rows.ts';
import { claimIdempotency } from './idempotency.ts';

/** As the indexes of runs are limited by them. */
export const UNFINISHED = "status IN ('queued', 'running')";
export const ENDED = "status NOT IN ('queued', 'running')";

export const RUN_COLUMNS = `id, tenant_id, workflow_id, workflow_version, status, attempt, created_at, started_at,
  finished_at, duration_ms, ended_by, user_id, trace_id, trigger, parameters, steps, error, output, ending`;

/** Answers the earlier record when the idempotency key is taken; nothing is written then. */
export function acceptRun(
  db: Db,
  args: { readonly run: AcceptedRow; readonly idempotency: IdempotencyRow | null },
): IdempotencyRow | null {
  if (args.idempotency !== null) {
    const existing = claimIdempotency(db, args.idempotency);
    if (existing !== null) return existing;
  }
  db.change(
    `INSERT INTO runs (id, tenant_id, workflow_id, workflow_version, status, attempt, created_at, started_at,
       user_id, trace_id, parent_span_id, trigger, parameters, sealed_parameters)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    args.run,
  );
  return null;
}

export function startRun(
  db: Db,
  args: { readonly id: string; readonly attempt: number; readonly startedAt: number },
): boolean {
  return (
    db.change(`UPDATE runs SET status = 'running', attempt = ?, started_at = ? WHERE id = ? AND ${UNFINISHED}`, [
      args.attempt,
      args.startedAt,
      args.id,
    ]) > 0
  );
}

export function saveSteps(
  db: Db,
  args: { readonly id: string; readonly steps: string; readonly trail: string | null },
): void {
  db.change(`UPDATE runs SET steps = ?, trail = ? WHERE id = ? AND ${UNFINISHED}`, [args.steps, args.trail, args.id]);
}

export function finishRun(db: Db, end: EndRow): boolean {
  return (
    db.change(
      `UPDATE runs SET status = ?, attempt = ?, started_at = ?, finished_at = ?, duration_ms = ?, ended_by = ?,
         steps = ?, error = ?, output = ?, last_logs = ?, trail = ?
       WHERE id = ? AND ${UNFINISHED}`,
      end,
    ) > 0
  );
}

/** The one thing that is written after the end of a run, and only once. */
export function noteEnding(db: Db, args: { readonly id: string; readonly ending: string }): boolean {
  return (
    db.change('UPDATE runs SET ending = ? WHERE id = ? AND ending IS NULL AND ended_by IS NOT NULL', [
      args.ending,
      args.id,
    ]) > 0
  );
}

export function getRun(db: Db, args: { readonly tenantId: string; readonly id: string }): WholeRunRow | null {
  return db.row<WholeRunRow>(`SELECT ${RUN_COLUMNS}, trail FROM runs WHERE id = ? AND tenant_id = ?`, [
    args.id,
    args.tenantId,
  ]);
}

export function getInternals(db: Db, id: string): InternalsRow | null {
  return db.row<InternalsRow>('SELECT sealed_parameters, parent_span_id FROM runs WHERE id = ?', [id]);
}

/** In the order in which they were accepted, from after the run `after`. */
export function unfinishedRuns(
  db: Db,
  args: { readonly after: string | null; readonly limit: number },
): ReadonlyArray<readonly [...InternalsRow, ...WholeRunRow]> {
  return db.rows<readonly [...InternalsRow, ...WholeRunRow]>(
    `SELECT sealed_parameters, parent_span_id, ${RUN_COLUMNS}, trail FROM runs
     WHERE ${UNFINISHED} AND seq > ifnull((SELECT seq FROM runs WHERE id = ?), 0) ORDER BY seq LIMIT ?`,
    [args.after, args.limit],
  );
}
