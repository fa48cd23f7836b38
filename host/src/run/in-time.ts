import type { ActiveRun } from './active-run.ts';

/** The time for a piece of work is over. */
export interface Over {
  readonly over: 'timed_out' | 'cancelled';
}

/** Whether the time of a run, or of a part of it that has a `deadline` of its own (monotonic, in milliseconds), is over; null while it is not. */
export function overdue(run: ActiveRun, deadline: number): Over | null {
  if (run.signal.aborted) return { over: 'cancelled' };
  if (performance.now() < deadline) return null;
  run.dueAt = deadline;
  return { over: 'timed_out' };
}

/**
 * Settles like `work`, or resolves as soon as the run is cancelled or `deadline` passes: work that hangs must not hold up the answer. What it comes to then is
 * not heard any more, so it may have no effect.
 */
export async function inTime<T extends object>(work: Promise<T>, run: ActiveRun, deadline: number): Promise<T | Over> {
  const { promise, resolve } = Promise.withResolvers<Over>();
  const cancelled = () => resolve({ over: 'cancelled' });
  const late = () => {
    run.dueAt = deadline;
    resolve({ over: 'timed_out' });
  };
  const timer = setTimeout(late, Math.min(Math.max(0, deadline - performance.now()), LONGEST_TIMER_MS));
  run.signal.addEventListener('abort', cancelled);
  try {
    const first = await Promise.race([work, promise]);
    // A look-up that was refused because its context had ended says so as an error of its own.
    return overdue(run, deadline) ?? first;
  } finally {
    clearTimeout(timer);
    run.signal.removeEventListener('abort', cancelled);
  }
}

/** A timer of Node holds no more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
