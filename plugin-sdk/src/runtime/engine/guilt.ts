/**
 * Who is to blame when an engine process ends, and what becomes of the calls that were on it.
 *
 * - `stuck`: the host killed it because a thread could not be ended. The guilty calls had been ended before (deadline, memory);
 *   all others are innocent and run again; one that was there twice runs alone from then on.
 * - `lost`: somebody else killed it (SIGKILL, SIGTERM …: an operator, the kernel's memory killer). Plugin code cannot do that, so
 *   the same holds.
 * - `memory`, `crash`, `malformed`, `runaway`, `unresponsive`: something on it did that. If one call was running, it is guilty and is
 *   not run again. If several were, none is failed: each is run again alone in an engine of its own, where the second time
 *   tells. `unresponsive` gets that second chance even when it was the only one, since a starved machine looks the same.
 *
 * Within an engine the same rule holds for a worker: see `engine-process/ending.ts`.
 */
export type DeathCause =
  | 'stuck'
  | 'lost'
  /** V8 aborted the process for want of memory. */
  | 'memory'
  | 'crash'
  /** It sent something that is not of the protocol. */
  | 'malformed'
  /** Its resident memory was above the bound. */
  | 'runaway'
  /** Its main thread did not answer. */
  | 'unresponsive'
  /** The host ends. */
  | 'shutdown';

export type Verdict = 'rerun' | 'rerun-alone' | 'out-of-memory' | 'crashed' | 'interrupted';

/** What becomes of a call that was on an engine when it ended. `running`: calls on it; `deaths`: engines the call has seen end, this one included. */
export function judge(cause: DeathCause, running: number, deaths: number): Verdict {
  if (cause === 'shutdown') return 'interrupted';
  if (cause === 'stuck' || cause === 'lost') return deaths >= 2 ? 'rerun-alone' : 'rerun';
  if (running > 1) return 'rerun-alone';
  if (cause === 'unresponsive') return deaths >= 2 ? 'crashed' : 'rerun-alone';
  return cause === 'memory' || cause === 'runaway' ? 'out-of-memory' : 'crashed';
}

const KILLS: ReadonlySet<string | null> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);
const V8_OUT_OF_MEMORY =
  /heap out of memory|Allocation failed|Check failed: .*(?:size|length)|invalid (?:table|array) size/i;

/** Why a process ended that the host did not kill. */
export function causeOfExit(code: number | null, signal: string | null, stderr: string): DeathCause {
  if (KILLS.has(signal)) return 'lost';
  if (V8_OUT_OF_MEMORY.test(stderr)) return 'memory';
  // V8 aborts for memory more often than for anything else, and not always says so.
  return (signal === 'SIGABRT' || code === 134) && stderr.trim() === '' ? 'memory' : 'crash';
}
