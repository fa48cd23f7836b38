import type { Db } from '../db.ts';
import type { IdempotencyRow } from '../rows.ts';

/** How long a key stands for its first answer. */
export const IDEMPOTENCY_MS = 24 * 60 * 60 * 1000;

const COLUMNS = 'tenant_id, workflow_id, key, request_hash, run_id, wait_ms, created_at';

/** Takes the key for the record's run, over an expired one too; answers the earlier record when the key is taken. */
export function claimIdempotency(db: Db, record: IdempotencyRow): IdempotencyRow | null {
  const [tenantId, workflowId, key, , , , now] = record;
  const existing = findIdempotency(db, { tenantId, workflowId, key, now });
  if (existing !== null) return existing;
  db.change(`INSERT OR REPLACE INTO idempotency (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`, record);
  return null;
}

/** The record of a key that has not expired at `now`. */
export function findIdempotency(
  db: Db,
  args: { readonly tenantId: string; readonly workflowId: string; readonly key: string; readonly now: number },
): IdempotencyRow | null {
  return db.row<IdempotencyRow>(
    `SELECT ${COLUMNS} FROM idempotency WHERE tenant_id = ? AND workflow_id = ? AND key = ? AND created_at > ?`,
    [args.tenantId, args.workflowId, args.key, args.now - IDEMPOTENCY_MS],
  );
}
