import { newContext, type Context } from '../core/context.ts';
import { GoflowError } from '../core/errors.ts';
import type { RunRecord, StepRecord, WorkflowRecord } from '../core/records.ts';
import { compileWorkflow, type CompiledStep, type CompiledWorkflow } from '../workflow/compile.ts';
import { ActiveRun } from './active-run.ts';
import { RunMask } from './masking.ts';
import { enqueueRun } from './queue.ts';
import { runError } from './retry.ts';
import { withSecrets, type RunServices } from './runs.ts';

const PAGE = 500;
/** Attempts of one run that crashes of the host may cut off: a run that takes the host down with it must not do so for ever. */
const MAX_RERUNS = 100;

type Unfinished = Awaited<ReturnType<RunServices['store']['runs']['unfinished']>>[number];
type FindWorkflow = (run: RunRecord) => Promise<WorkflowRecord | null>;

/**
 * Takes up the runs that an earlier life of the host left unfinished. An attempt that was cut off is run again with the same run id; where its action
 * says that this is not safe, or where it was cut off too often, the run ends as INTERRUPTED. Each gets a fresh deadline of its full `execution_timeout`.
 * Resolves when all can be seen and cancelled, with the function that sets them going; rejects when the store does.
 *
 * Has to be done before the host listens, so that a run which this life accepts is not taken for one of the last; they are set going after that, so that a
 * start which fails for its address cuts off nothing again.
 */
export async function recoverRuns(services: RunServices, ctx: Context): Promise<() => void> {
  const findWorkflow = workflowFinder(services);
  const revived: ActiveRun[] = [];
  let found = 0;
  for (let after: string | null = null; ; ) {
    const page = await services.store.runs.unfinished(ctx, after, PAGE);
    for (const run of await Promise.all(page.map((left) => takeUp(services, findWorkflow, left)))) {
      if (run !== null) revived.push(run);
    }
    found += page.length;
    after = page.at(-1)?.run.id ?? after;
    if (page.length < PAGE) break;
  }
  if (found > 0) services.steps.logs.executor.info(ctx, 'unfinished runs taken up again', { runs: found });
  return () => {
    for (const run of revived) enqueueRun(services, run);
  };
}

/** Many runs of few workflows: each version is read once. */
function workflowFinder({ store }: RunServices): FindWorkflow {
  const known = new Map<string, Promise<WorkflowRecord | null>>();
  return (run) => {
    const key = JSON.stringify([run.tenant_id, run.workflow_id, run.workflow_version]);
    let workflow = known.get(key);
    if (workflow === undefined) {
      workflow = store.workflows.get(contextOf(run), run.tenant_id, run.workflow_id, run.workflow_version);
      known.set(key, workflow);
    }
    return workflow;
  };
}

function contextOf(run: RunRecord): Context {
  return newContext({ traceId: run.trace_id, tenantId: run.tenant_id, userId: run.user_id });
}

/** Null: the run cannot go on, and has been ended. */
async function takeUp(services: RunServices, findWorkflow: FindWorkflow, left: Unfinished): Promise<ActiveRun | null> {
  const stored = await findWorkflow(left.run);
  if (stored === null)
    return endUnrunnable(services, left.run, 'the version of the workflow that it began with is gone');
  let run: ActiveRun;
  try {
    run = await revive(services, compileWorkflow(stored), left);
  } catch (error) {
    if (!(error instanceof GoflowError) || error.code !== 'INTERNAL') throw error;
    return endUnrunnable(services, left.run, `its secret parameters cannot be opened: ${error.message}`);
  }
  const refusal = left.run.status === 'running' ? markCutOff(services, run, left.run) : null;
  if (refusal !== null) return interrupt(services, run, refusal);
  run.status = 'queued';
  services.active.set(run.id, run);
  return run;
}

async function revive(
  services: RunServices,
  workflow: CompiledWorkflow,
  { run: record, internals }: Unfinished,
): Promise<ActiveRun> {
  const ctx = contextOf(record);
  const lines = await services.store.runs.logs(ctx, record.tenant_id, record.id, 0, Number.MAX_SAFE_INTEGER);
  const parameters = await withSecrets(services.vault, record, internals);
  return new ActiveRun({
    ctx,
    record,
    internals,
    workflow,
    parameters,
    mask: new RunMask(parameters, workflow.parameters.secretNames),
    lastLogSeq: lines.at(-1)?.seq ?? 0,
  });
}

/** Notes which attempt was cut off, so that the next one has the next number. Says why it must not be run again, or null. */
function markCutOff(services: RunServices, run: ActiveRun, record: RunRecord): string | null {
  const step = run.workflow.steps.find(
    ({ definition }) => !run.steps.some(({ id, status }) => id === definition.id && status === 'succeeded'),
  );
  if (step === undefined) return null;
  const index = run.steps.findIndex(({ id }) => id === step.definition.id);
  // Stored as failed: the crash came in the pause before the next attempt, and cut off none.
  if (index !== -1 && run.steps[index]?.status !== 'running') return null;
  if (index === -1) run.steps.push(begunStep(step, record));
  const found = services.steps.plugins.findAction(record.tenant_id, step.definition.action);
  if (found.found && found.action.action.idempotent === false)
    return `the action ${step.definition.action} is not idempotent`;
  return record.attempt > MAX_RERUNS ? `it was cut off ${record.attempt} times` : null;
}

function begunStep(step: CompiledStep, record: RunRecord): StepRecord {
  return {
    id: step.definition.id,
    action: step.definition.action,
    plugin: null,
    plugin_version: null,
    plugin_digest: null,
    status: 'running',
    started_at: record.started_at,
    finished_at: null,
    duration_ms: null,
    attempt: Math.max(1, record.attempt),
    output: null,
    error: null,
  };
}

async function interrupt(services: RunServices, run: ActiveRun, why: string): Promise<null> {
  run.endedBy = 'restart';
  const error = runError(
    'INTERRUPTED',
    `the host stopped while this run was in an attempt, and the attempt is not run again: ${why}`,
  );
  const last = run.steps.at(-1);
  if (last?.status === 'running')
    run.steps[run.steps.length - 1] = { ...last, status: 'failed', finished_at: new Date().toISOString(), error };
  return finish(services, run.end('failed', null, error));
}

function endUnrunnable(services: RunServices, run: RunRecord, why: string): Promise<null> {
  return finish(services, {
    ...run,
    status: 'failed',
    error: runError('INTERRUPTED', `the host stopped before this run had ended, and it cannot go on: ${why}`),
    finished_at: new Date().toISOString(),
    ended_by: 'restart',
  });
}

async function finish(services: RunServices, record: RunRecord): Promise<null> {
  const ctx = contextOf(record);
  await services.store.runs.finish(ctx, record, []);
  services.steps.meters.runEnded(record);
  services.steps.logs.executor.warn({ ...ctx, workflowId: record.workflow_id, runId: record.id }, 'workflow executed', {
    status: record.status,
    'error.code': record.error?.code,
    'error.message': record.error?.message,
    duration_ms: record.duration_ms,
    ended_by: record.ended_by,
  });
  return null;
}
