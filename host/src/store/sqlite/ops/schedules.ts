import type { Db } from '../db.ts';
import type { WorkflowRow } from '../rows.ts';
import { COLUMNS, CURRENT } from './workflows.ts';

export type ScheduledRow = readonly [seq: number, last: number | null, ...WorkflowRow];

/** Active workflows that may have a schedule, in the order in which they were made, from after `after`. Read once, when a host starts. */
export function listSchedules(
  db: Db,
  args: { readonly after: number; readonly limit: number },
): readonly ScheduledRow[] {
  return db.rows<ScheduledRow>(
    `SELECT w.seq, s.last_tick, ${COLUMNS} ${CURRENT}
     LEFT JOIN schedules s ON s.tenant_id = w.tenant_id AND s.workflow_id = w.id
     WHERE w.is_active = 1 AND w.seq > ? AND v.definition LIKE '%"schedule":{%' ORDER BY w.seq LIMIT ?`,
    [args.after, args.limit],
  );
}

/** A later tick stays: two that were fired at once may be told in either order. */
export function setLastTick(
  db: Db,
  args: { readonly tenantId: string; readonly workflowId: string; readonly tick: number },
): void {
  db.change(
    `INSERT INTO schedules (tenant_id, workflow_id, last_tick) VALUES (?, ?, ?)
     ON CONFLICT (tenant_id, workflow_id) DO UPDATE SET last_tick = max(last_tick, excluded.last_tick)`,
    [args.tenantId, args.workflowId, args.tick],
  );
}
