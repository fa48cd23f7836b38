import { newContext, systemContext } from '../../src/core/context.ts';
import { newId } from '../../src/core/ids.ts';
import type {
  IdempotencyRecord,
  RunInternals,
  RunLogRecord,
  RunRecord,
  WorkflowRecord,
} from '../../src/core/records.ts';

export const ctx = systemContext();

export const NO_INTERNALS: RunInternals = { sealed_parameters: null, parent_span_id: null };

export function makeRun(over: Partial<RunRecord> = {}): RunRecord {
  return {
    id: newId('run'),
    workflow_id: 'wf_1',
    workflow_version: 1,
    status: 'queued',
    trigger: { type: 'api' },
    parameters: { customer_name: 'Alex' },
    output: null,
    error: null,
    steps: [],
    trace_id: newContext({ tenantId: 'default', userId: 'dev' }).traceId,
    tenant_id: 'default',
    user_id: 'dev',
    created_at: new Date().toISOString(),
    started_at: null,
    finished_at: null,
    duration_ms: null,
    attempt: 0,
    ended_by: null,
    ending: null,
    ...over,
  };
}

export function ended(run: RunRecord, over: Partial<RunRecord> = {}): RunRecord {
  const at = new Date().toISOString();
  return { ...run, status: 'succeeded', started_at: at, finished_at: at, duration_ms: 1.25, attempt: 1, ...over };
}

export function makeWorkflow(over: Partial<WorkflowRecord> = {}): WorkflowRecord {
  const at = new Date().toISOString();
  return {
    id: newId('wf'),
    tenant_id: 'default',
    version: 1,
    name: 'Send Welcome Email',
    is_active: true,
    definition: { action: 'send_email' },
    created_at: at,
    updated_at: at,
    ...over,
  };
}

export function makeLogs(from: number, to: number): RunLogRecord[] {
  return Array.from({ length: to - from + 1 }, (_, index) => ({
    seq: from + index,
    timestamp: '2026-01-01T00:00:00.000Z',
    level: 'info',
    msg: `line ${from + index}`,
    step_id: null,
    attempt: 1,
    fields: null,
  }));
}

export function makeKey(runId: string, over: Partial<IdempotencyRecord> = {}): IdempotencyRecord {
  return {
    tenant_id: 'default',
    workflow_id: 'wf_1',
    key: 'order-1',
    request_hash: new Uint8Array(32).fill(7),
    run_id: runId,
    wait_ms: 0,
    created_at: new Date().toISOString(),
    ...over,
  };
}
