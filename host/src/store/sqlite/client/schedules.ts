import type { ScheduleStore } from '../../store.ts';
import type { StoreConnection } from './connection.ts';
import { fromWorkflowRow } from './workflows.ts';

export function scheduleStore(connection: StoreConnection): ScheduleStore {
  return {
    async list(ctx, after, limit) {
      const rows = await connection.call(ctx, 'schedules.list', { after, limit });
      const items = rows.map(([, last, ...row]) => ({ workflow: fromWorkflowRow(row), last }));
      return { items, next: rows.length < limit ? null : (rows.at(-1)?.[0] ?? null) };
    },
    setLast: (ctx, tenantId, workflowId, tick) =>
      connection.call(ctx, 'schedules.setLast', { tenantId, workflowId, tick }),
  };
}
