import { newContext, type Context } from '../core/context.ts';
import { messageOf } from '../core/errors.ts';
import type { RunInternals, RunRecord } from '../core/records.ts';
import { compileWorkflow } from '../workflow/compile.ts';
import { ActiveRun } from './active-run.ts';
import { RunMask } from './masking.ts';
import { enqueueRun } from './queue.ts';
import { runError } from './retry.ts';
import { withSecrets, type RunServices } from './runs.ts';

const PAGE = 500;
/** How often an attempt that was cut off is run again, whoever's fault that was not. */
const MAX_RERUNS = 3;

/**
 * Takes up the runs that an earlier life of the host left unfinished. An attempt that was cut off is run again with the same run id; where its action
 * says that this is not safe, or where it was cut off too often, the run ends as INTERRUPTED. Each gets a fresh deadline of its full `execution_timeout`.
 * Resolves when all are in the queue.
 */
export async function recoverRuns(services: RunServices, ctx: Context): Promise<number> {
  const log = services.steps.logs.executor;
  let found = 0;
  for (let after: string | null = null; ; ) {
    const page = await services.store.runs.unfinished(ctx, after, PAGE);
    for (const { run, internals } of page) {
      after = run.id;
      if (services.active.has(run.id)) continue;
      found += 1;
      try {
        await takeUp(services, run, internals);
      } catch (error) {
        log.error(ctx, 'a run could not be taken up again', { run_id: run.id, 'error.message': messageOf(error) });
      }
    }
    if (page.length < PAGE) break;
  }
  if (found > 0) log.info(ctx, 'unfinished runs taken up again', { runs: found });
  return found;
}

async function takeUp(services: RunServices, record: RunRecord, internals: RunInternals): Promise<void> {
  const ctx = newContext({ traceId: record.trace_id, tenantId: record.tenant_id, userId: record.user_id });
  const stored = await services.store.workflows.get(ctx, record.tenant_id, record.workflow_id, record.workflow_version);
  if (stored === null) {
    const end: RunRecord = {
      ...record,
      status: 'failed',
      error: runError('INTERRUPTED', 'the version of the workflow that this run began with is gone'),
      finished_at: new Date().toISOString(),
      ended_by: 'restart',
    };
    await services.store.runs.finish(ctx, end, []);
    return;
  }
  const workflow = compileWorkflow(stored);
  const parameters = await withSecrets(services.vault, record, internals);
  const lastLine = (await services.store.runs.logs(ctx, record.tenant_id, record.id, 0, Number.MAX_SAFE_INTEGER)).at(
    -1,
  );
  const run = new ActiveRun({
    ctx,
    record,
    internals,
    workflow,
    parameters,
    mask: new RunMask(parameters, workflow.parameters.secretNames),
    lastLogSeq: lastLine?.seq ?? 0,
  });
  services.active.set(run.id, run);
  const wasStarted = record.status === 'running';
  const next = workflow.steps.find(
    (step) => !run.steps.some((done) => done.id === step.definition.id && done.status === 'succeeded'),
  );
  if (wasStarted && next !== undefined) {
    const found = services.steps.plugins.findAction(record.tenant_id, next.definition.action);
    const repeatable = !found.found || found.action.action.idempotent !== false;
    if (!repeatable || record.attempt > MAX_RERUNS) {
      await interrupt(
        services,
        run,
        repeatable
          ? `it was cut off ${record.attempt} times`
          : `the action ${next.definition.action} is not idempotent`,
      );
      return;
    }
    // Its number is kept, so that the connector sees how often the step was begun.
    if (!run.steps.some((step) => step.id === next.definition.id)) {
      run.steps.push({
        id: next.definition.id,
        action: next.definition.action,
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
      });
    }
  }
  enqueueRun(services, run);
}

async function interrupt(services: RunServices, run: ActiveRun, why: string): Promise<void> {
  run.endedBy = 'restart';
  const record = run.end(
    'failed',
    null,
    runError(
      'INTERRUPTED',
      `the host stopped while this run was in an attempt, and the attempt is not run again: ${why}`,
    ),
  );
  await services.store.runs.finish(run.storeCtx, record, []);
  services.active.delete(run.id);
  services.steps.meters.runEnded(record);
  services.steps.logs.executor.warn(run.ctx, 'workflow executed', {
    status: 'failed',
    'error.code': 'INTERRUPTED',
    duration_ms: record.duration_ms,
  });
  run.settled(record);
}
