import type {
  IdempotencyRecord,
  RunEnding,
  RunInternals,
  RunLogRecord,
  RunRecord,
  RunTrailRecord,
} from '../../../core/records.ts';
import type { AcceptedRow, EndRow, IdempotencyRow, InternalsRow, LogChunk, RunRow, WholeRunRow } from '../rows.ts';
import { fromMs, fromMsOrNull, jsonOrNull, ownBytes, parsed, parsedOrNull, toMs, toMsOrNull } from './values.ts';

export function toAcceptedRow(run: RunRecord, internals: RunInternals): AcceptedRow {
  const sealed = internals.sealed_parameters;
  return [
    run.id,
    run.tenant_id,
    run.workflow_id,
    run.workflow_version,
    run.status,
    run.attempt,
    toMs(run.created_at),
    toMsOrNull(run.started_at),
    run.user_id,
    run.trace_id,
    internals.parent_span_id,
    JSON.stringify(run.trigger),
    JSON.stringify(run.parameters),
    sealed === null ? null : ownBytes(sealed),
  ];
}

export function toEndRow(run: RunRecord, logs: readonly RunLogRecord[]): EndRow {
  return [
    run.status,
    run.attempt,
    toMsOrNull(run.started_at),
    toMsOrNull(run.finished_at),
    run.duration_ms,
    run.ended_by,
    run.steps.length === 0 ? null : JSON.stringify(run.steps),
    jsonOrNull(run.error),
    jsonOrNull(run.output),
    logs.length === 0 ? null : JSON.stringify(logs),
    trailText(run),
    run.id,
  ];
}

export function fromRunRow(row: RunRow): RunRecord {
  const [id, tenantId, workflowId, workflowVersion, status, attempt, createdAt, startedAt, finishedAt] = row;
  const [, , , , , , , , , durationMs, endedBy, userId, traceId, trigger, parameters, steps, error, output, ending] =
    row;
  return {
    id,
    workflow_id: workflowId,
    workflow_version: workflowVersion,
    status,
    trigger: parsed(trigger),
    parameters: parsed(parameters),
    output: parsedOrNull(output),
    error: parsedOrNull(error),
    steps: parsedOrNull<RunRecord['steps']>(steps) ?? [],
    trace_id: traceId,
    tenant_id: tenantId,
    user_id: userId,
    created_at: fromMs(createdAt),
    started_at: fromMsOrNull(startedAt),
    finished_at: fromMsOrNull(finishedAt),
    duration_ms: durationMs,
    attempt,
    ended_by: endedBy as RunRecord['ended_by'],
    ending: parsedOrNull<RunEnding>(ending),
  };
}

/** Null for most runs: those that reached nothing and were not tried again. */
export function trailText({ egress = [], egress_dropped: dropped, retries = [] }: RunTrailRecord): string | null {
  if (egress.length === 0 && retries.length === 0) return null;
  return JSON.stringify({ egress, ...(dropped === undefined ? {} : { egress_dropped: dropped }), retries });
}

export function fromWholeRunRow(row: WholeRunRow): RunRecord {
  const trail = row.at(-1) as string | null;
  return {
    ...fromRunRow(row.slice(0, -1) as unknown as RunRow),
    ...(trail === null ? {} : parsed<RunTrailRecord>(trail)),
  };
}

export function fromInternalsRow([sealed, parentSpanId]: InternalsRow): RunInternals {
  return { sealed_parameters: sealed, parent_span_id: parentSpanId };
}

export function toIdempotencyRow(record: IdempotencyRecord): IdempotencyRow {
  return [
    record.tenant_id,
    record.workflow_id,
    record.key,
    ownBytes(record.request_hash),
    record.run_id,
    record.wait_ms,
    toMs(record.created_at),
  ];
}

export function fromIdempotencyRow(row: IdempotencyRow): IdempotencyRecord {
  const [tenantId, workflowId, key, requestHash, runId, waitMs, createdAt] = row;
  return {
    tenant_id: tenantId,
    workflow_id: workflowId,
    key,
    request_hash: requestHash,
    run_id: runId,
    wait_ms: waitMs,
    created_at: fromMs(createdAt),
  };
}

/** Lines of one stored row: few enough that reading some of them does not read very many. */
const CHUNK_LINES = 64;

export function toLogChunks(logs: readonly RunLogRecord[]): readonly LogChunk[] {
  const chunks: LogChunk[] = [];
  for (let from = 0; from < logs.length; from += CHUNK_LINES) {
    const lines = logs.slice(from, from + CHUNK_LINES);
    const first = lines[0];
    const last = lines.at(-1);
    if (first !== undefined && last !== undefined) chunks.push([first.seq, last.seq, JSON.stringify(lines)]);
  }
  return chunks;
}
