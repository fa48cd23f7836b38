import type { BundlePool } from './pool.ts';
import { ENGINE_SLACK_MB, LANE_OVERHEAD_MB } from './settings.ts';

/** The third line of memory: what the whole process holds, which also counts what no heap shows. */
export class Residency {
  readonly #base = process.memoryUsage.rss();
  readonly #pools: () => Iterable<BundlePool>;

  constructor(pools: () => Iterable<BundlePool>) {
    this.#pools = pools;
  }

  /** Whether the process holds more than it can while every lane is within its limit. */
  isTooLarge(): boolean {
    let megabytes = ENGINE_SLACK_MB;
    for (const pool of this.#pools()) megabytes += pool.lanes.size * (pool.bundle.limits.memory_mb + LANE_OVERHEAD_MB);
    return process.memoryUsage.rss() > this.#base + megabytes * 1024 * 1024;
  }
}
