import type { Context } from '../../../core/context.ts';
import { GoflowError, validationError } from '../../../core/errors.ts';
import { ENDED_STATUSES, type Page, type RunLogRecord, type RunRecord } from '../../../core/records.ts';
import type { RunFilter, RunStore } from '../../store.ts';
import type { StoreConnection } from './connection.ts';
import { readCursor, writeCursor } from './cursor.ts';
import {
  fromIdempotencyRow,
  fromInternalsRow,
  fromRunRow,
  fromWholeRunRow,
  toAcceptedRow,
  toEndRow,
  toIdempotencyRow,
  toLogChunks,
  trailText,
} from './run-rows.ts';
import { checkLimit, parsed, toMs } from './values.ts';

export function runStore(connection: StoreConnection): RunStore {
  return {
    async accept(ctx, run, internals, idempotency) {
      const existing = await connection.call(ctx, 'runs.accept', {
        run: toAcceptedRow(run, internals),
        idempotency: idempotency === undefined ? null : toIdempotencyRow(idempotency),
      });
      return { existing: existing === null ? null : fromIdempotencyRow(existing) };
    },
    async start(ctx, runId, attempt, startedAt) {
      return connection.call(ctx, 'runs.start', { id: runId, attempt, startedAt: toMs(startedAt) });
    },
    async saveStep(ctx, runId, steps, trail) {
      const args = { id: runId, steps: JSON.stringify(steps), trail: trailText(trail ?? {}) };
      await connection.call(ctx, 'runs.saveStep', args, true);
    },
    async finish(ctx, run, logs) {
      if (!ENDED_STATUSES.some((status) => status === run.status)) {
        throw new GoflowError('INTERNAL', `run ${run.id} cannot end as ${run.status}`);
      }
      return connection.call(ctx, 'runs.finish', toEndRow(run, logs), true);
    },
    async noteEnding(ctx, runId, ending) {
      return connection.call(ctx, 'runs.noteEnding', { id: runId, ending: JSON.stringify(ending) }, true);
    },
    async appendLogs(ctx, runId, logs) {
      if (logs.length === 0) return;
      await connection.call(ctx, 'runs.appendLogs', { id: runId, chunks: toLogChunks(logs) }, true);
    },
    async get(ctx, tenantId, id) {
      const row = await connection.call(ctx, 'runs.get', { tenantId, id });
      return row === null ? null : fromWholeRunRow(row);
    },
    async internals(ctx, id) {
      const row = await connection.call(ctx, 'runs.internals', id);
      return row === null ? null : fromInternalsRow(row);
    },
    async list(ctx, tenantId, filter) {
      return listRuns(connection, ctx, tenantId, filter);
    },
    async logs(ctx, tenantId, id, after, limit) {
      const texts = await connection.call(ctx, 'runs.logs', { tenantId, id, after, limit });
      const lines = texts.flatMap((text) => parsed<RunLogRecord[]>(text));
      return lines.filter(({ seq }) => seq > after).slice(0, limit);
    },
    async unfinished(ctx, after, limit) {
      const rows = await connection.call(ctx, 'runs.unfinished', { after, limit });
      return rows.map(([sealed, parentSpanId, ...run]) => ({
        run: fromWholeRunRow(run),
        internals: fromInternalsRow([sealed, parentSpanId]),
      }));
    },
    async findIdempotency(ctx, tenantId, workflowId, key) {
      const row = await connection.call(ctx, 'runs.findIdempotency', { tenantId, workflowId, key, now: Date.now() });
      return row === null ? null : fromIdempotencyRow(row);
    },
    async prune(ctx, { before, keep, limit }) {
      return connection.call(ctx, 'runs.prune', {
        before: before === undefined ? null : toMs(before),
        keep: keep ?? null,
        limit,
        now: Date.now(),
      });
    },
  };
}

async function listRuns(
  connection: StoreConnection,
  ctx: Context,
  tenantId: string,
  filter: RunFilter,
): Promise<Page<RunRecord>> {
  const { rows, next } = await connection.call(ctx, 'runs.list', {
    tenantId,
    workflowId: filter.workflow_id ?? null,
    status: filter.status ?? null,
    since: timeOf(filter.since, '/since'),
    until: timeOf(filter.until, '/until'),
    limit: checkLimit(filter.limit),
    before: filter.cursor === undefined ? null : positionOf(filter.cursor),
  });
  return { items: rows.map((row) => fromRunRow(row)), next_cursor: next === null ? null : writeCursor('runs', next) };
}

function positionOf(cursor: string): readonly [number, number] {
  const [createdAt = 0, seq = 0] = readCursor('runs', cursor, 2);
  return [createdAt, seq];
}

function timeOf(time: string | undefined, pointer: string): number | null {
  if (time === undefined) return null;
  const ms = Date.parse(time);
  if (!Number.isNaN(ms)) return ms;
  throw validationError([{ pointer, message: 'must be an RFC 3339 time', keyword: 'format' }]);
}
