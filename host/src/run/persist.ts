import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { ActiveRun } from './active-run.ts';
import { pause } from './pause.ts';

/** Pauses between tries while the store does not answer, in milliseconds: doubled each time, up to the longest. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5000;

export interface PersistServices {
  readonly isStopping: () => boolean;
  readonly log: Logger;
}

/** What a run has to have on disk before it goes on, or ends. */
export interface Fact<T> {
  /** For the log: "the end of the run". */
  readonly what: string;
  readonly write: () => Promise<T>;
  /** Whether it is no longer worth the wait: an ended run writes its end instead. */
  readonly obsolete?: () => boolean;
}

/**
 * Writes a fact of a run; while the store is away the run waits for it, however long that takes. Null: the host stops, or the fact has become
 * obsolete, before it could be written.
 */
export async function persist<T>(services: PersistServices, run: ActiveRun, fact: Fact<T>): Promise<T | null> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      return await fact.write();
    } catch (error) {
      services.log.error(run.ctx, `${fact.what} could not be stored; trying again`, {
        'error.message': messageOf(error),
        retry_in_ms: pauseMs,
      });
    }
    if (services.isStopping() || fact.obsolete?.() === true) return null;
    await pause(pauseMs, fact.obsolete === undefined ? null : run.signal);
  }
}
