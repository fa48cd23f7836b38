import { systemContext } from '../core/context.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Store } from '../store/store.ts';

/** What is kept of ended runs; null: no limit of that kind. */
export interface RetentionPolicy {
  readonly days: number | null;
  /** The newest so many, over all tenants. */
  readonly count: number | null;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Between two rounds, and between the batches of one: what is deleted in one commit delays the commits beside it by about a millisecond. */
const ROUND_MS = 60_000;
const BATCH_MS = 20;
const BATCH = 200;

/** Deletes what the policy does not keep, and expired idempotency keys, in the background. Returns how to stop. */
export function keepRetention(store: Store, policy: RetentionPolicy, log: Logger, roundMs = ROUND_MS): () => void {
  let deleted = 0;

  async function batch(): Promise<void> {
    let next = roundMs;
    try {
      const { runs, keys } = await store.runs.prune(systemContext(), {
        ...(policy.days === null ? {} : { before: new Date(Date.now() - policy.days * DAY_MS).toISOString() }),
        ...(policy.count === null ? {} : { keep: policy.count }),
        limit: BATCH,
      });
      deleted += runs;
      if (runs === BATCH || keys === BATCH) next = BATCH_MS;
      else if (deleted > 0) {
        log.info(null, 'ended runs deleted', { runs: deleted });
        deleted = 0;
      }
    } catch (error) {
      log.warn(null, 'ended runs could not be deleted; trying again', { 'error.message': messageOf(error) });
    }
    if (!stopped) timer = setTimeout(() => void batch(), next).unref();
  }

  let stopped = false;
  let timer = setTimeout(() => void batch(), roundMs).unref();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
