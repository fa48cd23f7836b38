import type { RunMeters } from '../metrics/run-meters.ts';
import type { Store } from '../store/store.ts';
import type { ActiveRun } from './active-run.ts';
import type { Admission } from './admission.ts';
import type { Executor } from './executor.ts';

interface QueueServices {
  readonly store: Store;
  readonly executor: Executor;
  readonly admission: Admission;
  readonly active: Map<string, ActiveRun>;
  readonly steps: { readonly meters: RunMeters };
}

/** Carries out a run that holds a place, and gives the place back. Never rejects. */
export async function carryOut(services: QueueServices, run: ActiveRun): Promise<void> {
  try {
    await services.executor.execute(run);
  } finally {
    services.active.delete(run.id);
    services.admission.release();
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
  leave = services.admission.enqueue(run.ctx.tenantId, () => {
    stopWatching();
    void start(services, run);
  });
}

/** The start of a run that waited is written before anything of it happens. */
async function start(services: QueueServices, run: ActiveRun): Promise<void> {
  run.status = 'running';
  run.attempt += 1;
  run.startedAt ??= new Date().toISOString();
  services.steps.meters.runStarted(performance.now() - run.accepted);
  // Without the store the attempt still counts: its end is written with the same number.
  await services.store.runs.start(run.storeCtx, run.id, run.attempt, run.startedAt).catch(() => false);
  run.emitState();
  await carryOut(services, run);
}
