import { GoflowError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Store } from '../store/store.ts';
import type { ActiveRun } from './active-run.ts';

/**
 * Writes the log lines of runs in flight to the store every `ms` milliseconds, so that a crash costs at most that much of them; the last lines go with the
 * end of the run. Returns how to stop.
 */
export function flushLogsEvery(
  ms: number,
  store: Store,
  active: ReadonlyMap<string, ActiveRun>,
  log: Logger,
): () => void {
  const timer = setInterval(() => {
    for (const run of active.values()) {
      if (!run.hasUnsavedLogs) continue;
      const lines = run.takeLogs();
      store.runs.appendLogs(run.storeCtx, run.id, lines).catch((error: unknown) => {
        if (error instanceof GoflowError && error.code.startsWith('STORE_')) run.returnLogs(lines);
        log.warn(run.ctx, 'log lines of a run could not be stored', { 'error.message': messageOf(error) });
      });
    }
  }, ms);
  return () => clearInterval(timer);
}
