import type { Lane } from './lane.ts';
import type { BundlePool } from './pool.ts';
import type { Residency } from './residency.ts';
import { mayRerun } from './call.ts';
import { HELD_MS, IDLE_TICK_MS, LANE_OVERHEAD_MB, STUCK_MS, TICK_MS, type Settings } from './settings.ts';

/**
 * Looks at every lane that has calls, each 25 ms: is it alive, is it within its memory? A lane without life is avoided, and what
 * it has not begun moves; it is not ended for that, since a connector may compute. Idle lanes are ended after a while.
 */
export class Watch {
  readonly #pools: () => Iterable<BundlePool>;
  readonly #settings: Settings;
  readonly #residency: Residency;
  #timer: NodeJS.Timeout | null = null;
  #dueAt = 0;

  constructor(pools: () => Iterable<BundlePool>, settings: Settings, residency: Residency) {
    this.#residency = residency;
    this.#pools = pools;
    this.#settings = settings;
  }

  /** There is work: look often. */
  wake(): void {
    if (this.#timer !== null && this.#dueAt <= performance.now() + TICK_MS) return;
    this.#schedule(TICK_MS);
  }

  #schedule(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#dueAt = performance.now() + ms;
    // What has arrived meanwhile is handled first, so that a busy engine does not take its own lateness for a lane's.
    this.#timer = setTimeout(() => setImmediate(() => this.#tick()), ms);
  }

  #tick(): void {
    this.#timer = null;
    const late = performance.now() - this.#dueAt > TICK_MS;
    let busy = false;
    let lanes = 0;
    for (const pool of this.#pools()) {
      for (const lane of pool.lanes) {
        lanes += 1;
        if (lane.calls.size === 0 && lane.state === 'open') this.#lookAtIdle(pool, lane);
        else busy = true;
        if (lane.calls.size === 0 || (lane.state !== 'open' && lane.state !== 'draining')) continue;
        this.#lookAtLife(pool, lane, late);
        void this.#lookAtMemory(pool, lane);
      }
      if (pool.hasQueue) {
        busy = true;
        pool.pump();
      }
    }
    if (busy) this.#schedule(TICK_MS);
    else if (lanes > 0) this.#schedule(IDLE_TICK_MS);
  }

  #lookAtLife(pool: BundlePool, lane: Lane, late: boolean): void {
    const now = performance.now();
    if (lane.hasIdled()) {
      lane.aliveAt = now;
      lane.stuck = false;
    } else if (!lane.awaitsPong) {
      lane.ping();
    } else if (!late && now - lane.aliveAt >= STUCK_MS) {
      lane.stuck = true;
      pool.ending.revokeAll(lane);
      if (now - lane.aliveAt >= HELD_MS && holdsOthersUp(lane)) pool.ending.terminate(lane, 'held');
      pool.pump();
    } else if (now - lane.aliveAt >= TICK_MS) {
      pool.prepare();
    }
  }

  async #lookAtMemory(pool: BundlePool, lane: Lane): Promise<void> {
    if (lane.memory.isSilent) {
      if (this.#residency.isTooLarge() || this.#growsInSilence(lane)) pool.ending.terminate(lane, 'memory');
    } else if (await lane.memory.isOver(lane)) {
      pool.ending.terminate(lane, 'memory');
    }
  }

  /** Whether the process has grown, since this lane stopped answering, by more than it and the other busy lanes may hold, and no other lane is silent. */
  #growsInSilence(lane: Lane): boolean {
    let allowed = 0;
    for (const pool of this.#pools()) {
      for (const other of pool.lanes) {
        if (other.calls.size === 0) continue;
        if (other !== lane && other.memory.isSilent) return false;
        allowed += other.memory.limit + LANE_OVERHEAD_MB * 1024 * 1024;
      }
    }
    return process.memoryUsage.rss() - lane.memory.residentBefore > allowed;
  }

  #lookAtIdle(pool: BundlePool, lane: Lane): void {
    if (lane.reservedFor !== null) return;
    const idleMs = performance.now() - lane.idleSince;
    const isKept = pool.lanes.size === 1 && this.#laneCount() <= this.#settings.keptLanes;
    // Not `lane.end()`: code that a call left behind may keep the thread from ending, and then the engine has to go.
    if (idleMs > (isKept ? this.#settings.lastLaneMs : this.#settings.idleLaneMs)) pool.ending.terminate(lane, 'abort');
    else if (lane.worksWithoutCalls()) pool.ending.terminate(lane, 'abort');
    else if (idleMs > IDLE_TICK_MS && lane.memory.isHigh) void this.#replaceIfFull(pool, lane);
  }

  /** What an idle lane holds is what the plugin's own modules have kept: the next call shall not be blamed for it. */
  async #replaceIfFull(pool: BundlePool, lane: Lane): Promise<void> {
    if (lane.thread === null) return;
    try {
      await lane.memory.collect(lane.thread);
    } catch {
      return;
    }
    if (lane.memory.isHigh && lane.calls.size === 0) pool.ending.terminate(lane, 'abort');
  }

  #laneCount(): number {
    let lanes = 0;
    for (const pool of this.#pools()) lanes += pool.lanes.size;
    return lanes;
  }
}

/** Several calls are on a lane that shows no life, and every one may be begun again. */
function holdsOthersUp(lane: Lane): boolean {
  return lane.calls.size > 1 && [...lane.calls.values()].every((call) => call.abortedAt === null && mayRerun(call));
}
