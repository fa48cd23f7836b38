import type { Db } from '../db.ts';
import { IDEMPOTENCY_MS } from './idempotency.ts';
import { UNFINISHED } from './runs.ts';

export interface PruneArgs {
  /** Ended runs accepted before this go. */
  readonly before: number | null;
  /** Ended runs beyond the newest so many, over all tenants, go. */
  readonly keep: number | null;
  readonly limit: number;
  readonly now: number;
}

/** Deletes up to `limit` ended runs, oldest first, and as many expired idempotency keys. */
export function pruneRuns(db: Db, args: PruneArgs): { readonly runs: number; readonly keys: number } {
  const keys = db.change(
    `DELETE FROM idempotency WHERE (tenant_id, workflow_id, key) IN
       (SELECT tenant_id, workflow_id, key FROM idempotency WHERE created_at <= ? ORDER BY created_at LIMIT ?)`,
    [args.now - IDEMPOTENCY_MS, args.limit],
  );
  // Only the oldest ended runs are looked at, so that a call which finds nothing to do is as cheap as any.
  // Rows are dense in seq but for what was pruned at the old end, so a count needs no counting.
  const newest = db.row<readonly [number | null]>('SELECT max(seq) FROM runs')?.[0] ?? 0;
  const tooMany = args.keep === null ? 0 : newest - args.keep;
  const runs = db.change(
    `DELETE FROM runs WHERE seq IN
       (SELECT seq FROM (SELECT seq, created_at FROM runs NOT INDEXED WHERE NOT (${UNFINISHED}) ORDER BY seq LIMIT ?)
        WHERE created_at < ? OR seq <= ?)`,
    [args.limit, args.before ?? 0, tooMany],
  );
  return { runs, keys };
}
