import type { Logger } from '../core/log.ts';
import type { RunMeters } from '../metrics/run-meters.ts';
import type { Store } from '../store/store.ts';
import type { RunSpans } from '../tracing/run-spans.ts';
import type { ActiveRun } from './active-run.ts';
import type { Admission } from './admission.ts';
import type { Executor } from './executor.ts';
import { persist } from './persist.ts';

interface QueueServices {
  readonly store: Store;
  readonly executor: Executor;
  readonly admission: Admission;
  readonly active: Map<string, ActiveRun>;
  readonly isStopping: () => boolean;
  readonly steps: {
    readonly meters: RunMeters;
    readonly spans: RunSpans | null;
    readonly logs: { readonly executor: Logger };
  };
}

/** Carries out a run that holds a place, and gives the place back. Never rejects. */
export async function carryOut(services: QueueServices, run: ActiveRun): Promise<void> {
  try {
    await services.executor.execute(run);
  } finally {
    services.active.delete(run.id);
    services.admission.release(run.ctx.tenantId);
  }
}

/** Puts a durable run in the queue. One that is cancelled or late while it waits ends without having started. */
export function enqueueRun(services: QueueServices, run: ActiveRun): void {
  run.status = 'queued';
  // The queue may start the run before `enqueue` returns.
  let leave = () => false;
  const giveUp = () => {
    if (!leave()) return;
    stopWatching();
    void services.executor.execute(run).finally(() => services.active.delete(run.id));
  };
  const timer = setTimeout(giveUp, Math.max(0, run.ctx.deadline - performance.now()));
  const stopWatching = () => {
    clearTimeout(timer);
    run.signal.removeEventListener('abort', giveUp);
  };
  run.signal.addEventListener('abort', giveUp);
  leave = services.admission.enqueue(run.ctx.tenantId, run.workflow.record.id, () => {
    stopWatching();
    void start(services, run);
  });
}

/** The start of a run that waited is written before anything of it happens. */
async function start(services: QueueServices, run: ActiveRun): Promise<void> {
  run.status = 'running';
  run.attempt += 1;
  run.startedAt ??= new Date().toISOString();
  const { attempt, startedAt } = run;
  services.steps.meters.runStarted(performance.now() - run.accepted);
  services.steps.spans?.queued(run.ctx, run.accepted);
  const persistence = { isStopping: services.isStopping, log: services.steps.logs.executor };
  const obsolete = () => run.signal.aborted || performance.now() >= run.ctx.deadline;
  const started = await persist(persistence, run, {
    what: 'the start of the run',
    write: () => services.store.runs.start(run.storeCtx, run.id, attempt, startedAt),
    obsolete,
  });
  if (started !== true && !obsolete()) {
    // The host stops and the next one finds the run in the queue, or it has ended already.
    services.active.delete(run.id);
    services.admission.release(run.ctx.tenantId);
    return;
  }
  run.emitState();
  await carryOut(services, run);
}
