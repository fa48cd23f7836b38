/**
 * Times and sizes of an engine process, in one place. Milliseconds unless the name says otherwise. The host passes those
 * that differ as one JSON argument.
 */
export interface Settings {
  /** Lanes (worker threads) that one bundle may have; calls that have to run alone may start two more. */
  readonly lanesPerBundle: number;
  /** Lanes of the whole engine; beyond it a bundle gets its first lane, but no further one. */
  readonly lanesPerEngine: number;
  /** An idle lane ends after this time … */
  readonly idleLaneMs: number;
  /** … but while the engine has few lanes, the last one of a bundle is kept this long, so that a rare call is quick. */
  readonly lastLaneMs: number;
  /** How many lanes are "few". */
  readonly keptLanes: number;
}

export const DEFAULT_SETTINGS: Settings = {
  lanesPerBundle: 4,
  lanesPerEngine: 64,
  idleLaneMs: 15_000,
  lastLaneMs: 60_000,
  keptLanes: 4,
};

/** The watch looks at busy lanes this often: pings, memory, stuck lanes. */
export const TICK_MS = 25;
/** … and this often when only idle lanes are left. */
export const IDLE_TICK_MS = 1000;
/** A lane that has shown no life for so long takes no new work, and what it has not begun goes elsewhere. */
export const STUCK_MS = 50;
/** A lane without a call whose thread computes more than half of so long has something left of a call on it, and is ended. */
export const LEFTOVER_MS = 1000;
/** A lane that has shown no life for so long is ended when several calls are on it: each is run again alone, so that those that only wait need not wait for the one that computes. */
export const HELD_MS = 1000;
/** What an aborted call gets to settle by itself. */
export const GRACE_MS = 15;
/** A lane with an aborted call that shows no life for so long after the abort is ended at once. */
export const NO_PONG_MS = 50;
/** What the other calls of a lane that has to go get to finish … */
export const DRAIN_MS = 100;
/** … and when one of them may not be run again. */
export const DRAIN_NO_RERUN_MS = 1000;
/** A thread that is not gone so long after `terminate` will never be: the engine has to be killed. */
export const GONE_MS = 250;
/** … but one that was ended for its memory may take so long, while the process is not too large. */
export const GONE_LARGE_MS = 1000;
/** A lane that does not become ready in this time is given up. */
export const START_MS = 10_000;
/** Waiting calls of one bundle; one more fails. */
export const MAX_QUEUE = 20_000;
/** What one call may send in a second before it counts as a flood: messages, and bytes. */
export const MAX_EVENTS_PER_SECOND = 10_000;
export const MAX_BYTES_PER_SECOND = 64 * 1024 * 1024;
/** What a worker takes beside the heap that its plugin is held to, and what the engine itself may grow by, in MiB. */
export const LANE_OVERHEAD_MB = 48;
export const ENGINE_SLACK_MB = 64;
/** V8's own limit of a worker's heap lies this far above the plugin's, because V8 answers it by aborting the whole process. */
export const HEAP_HEADROOM_MB = 512;
/** Nursery of a worker's heap: small, because there may be many. */
export const YOUNG_MB = 16;

export function readSettings(text: string | undefined): Settings {
  return { ...DEFAULT_SETTINGS, ...(text === undefined ? {} : (JSON.parse(text) as Partial<Settings>)) };
}
