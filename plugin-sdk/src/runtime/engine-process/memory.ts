import type { HeapInfo } from 'node:v8';
import type { Worker } from 'node:worker_threads';
import type { Lane } from './lane.ts';

/** More than this the runtime never holds by itself; code that begins before the first look cannot hide more in it. */
const MAX_BASE = 32 * 1024 * 1024;

/**
 * Holds a worker to its plugin's `memory_mb`. V8's own limit is no help: it aborts the whole process, and counts no buffers.
 * So the heap and the external memory of a busy worker are looked at from outside, which works while it loops.
 *
 * What counts is what lives: at the limit the worker is made to collect its garbage (the one way to do that from outside is a
 * heap profile with `forceGC`), and only if it is still above the limit then, it is over. The runtime's own share, measured
 * when the lane is ready, does not count.
 */
export class MemoryWatch {
  readonly #limit: number;
  /** What the runtime itself holds; `null` until measured. */
  #base: number | null = null;
  #lookingSince: number | null = null;
  #active = 0;
  /** Collections in a row that got little below the limit. */
  #close = 0;
  /** Last known use above the base, in bytes. */
  used = 0;

  constructor(memoryMb: number) {
    this.#limit = memoryMb * 1024 * 1024;
  }

  /** How long the worker has not answered, in milliseconds: it is in native code that cannot be interrupted. */
  get unansweredMs(): number {
    return this.#lookingSince === null ? 0 : performance.now() - this.#lookingSince;
  }

  /** Whether it holds so much that an idle lane should rather be replaced. */
  get isHigh(): boolean {
    return this.used > 0.6 * this.#limit;
  }

  /** Looks at the memory of `lane`, if it did anything since the last look. Resolves to whether it is over its limit. */
  async isOver(lane: Lane): Promise<boolean> {
    const { thread } = lane;
    if (thread === null || this.#lookingSince !== null) return false;
    const { active } = thread.performance.eventLoopUtilization();
    if (this.#base !== null && active - this.#active < 1) return false;
    this.#active = active;
    this.#lookingSince = performance.now();
    try {
      return await this.#look(thread);
    } catch {
      // The thread ended meanwhile.
      return false;
    } finally {
      this.#lookingSince = null;
    }
  }

  async #look(thread: Worker): Promise<boolean> {
    const held = heldBytes(await thread.getHeapStatistics());
    this.#base ??= Math.min(held, MAX_BASE);
    this.used = held - this.#base;
    if (this.used <= this.#limit) {
      this.#close = 0;
      return false;
    }
    await this.collect(thread);
    // Close to the limit every look would collect again and the worker would get nowhere: three in a row are enough.
    this.#close = this.used > 0.8 * this.#limit ? this.#close + 1 : 0;
    return this.used > this.#limit || this.#close >= 3;
  }

  /** Makes the worker collect its garbage, and measures what is left. */
  async collect(thread: Worker): Promise<void> {
    const profile = await thread.startHeapProfile({ forceGC: true, sampleInterval: 2 ** 30, stackDepth: 1 });
    await profile.stop();
    this.used = heldBytes(await thread.getHeapStatistics()) - (this.#base ?? 0);
  }
}

function heldBytes(heap: HeapInfo): number {
  return heap.used_heap_size + heap.external_memory;
}
