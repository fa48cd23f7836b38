import type { HeapInfo } from 'node:v8';
import type { Worker } from 'node:worker_threads';
import type { Lane } from './lane.ts';

/** More than this the runtime never holds by itself; code that begins before the first look cannot hide more in it. */
const MAX_BASE = 32 * 1024 * 1024;
/** A worker that has not answered a look for so long does not. */
const SILENT_MS = 150;

/**
 * Holds a worker to its plugin's `memory_mb`. V8's own limit is no help: it aborts the whole process, and counts no buffers.
 * So the heap and the external memory of a busy worker are looked at from outside, which works while it loops.
 *
 * What counts is what lives: at the limit the worker is made to collect its garbage (the one way to do that from outside is a
 * heap profile with `forceGC`), and only if it is still above the limit then, it is over. The runtime's own share, measured
 * when the lane is ready, does not count.
 */
export class MemoryWatch {
  /** In bytes. */
  readonly limit: number;
  /** Resident memory of the process when the worker was asked what it has not answered yet, in bytes. */
  residentBefore = 0;
  /** What the runtime itself holds; `null` until measured. */
  #base: number | null = null;
  #looking = false;
  /** When the request was made that the worker has not answered yet; null: it owes none. */
  #askedAt: number | null = null;
  #active = 0;
  /** Collections in a row that got little below the limit. */
  #close = 0;
  /** Last known use above the base, in bytes. */
  used = 0;

  constructor(memoryMb: number) {
    this.limit = memoryMb * 1024 * 1024;
  }

  /** It does not answer: it is in native code that cannot be interrupted, and only the memory of the process can be watched. */
  get isSilent(): boolean {
    return this.#askedAt !== null && performance.now() - this.#askedAt > SILENT_MS;
  }

  /** Whether it holds so much that an idle lane should rather be replaced. */
  get isHigh(): boolean {
    return this.used > 0.6 * this.limit;
  }

  /** Looks at the memory of `lane`, if it did anything since the last look. Resolves to whether it is over its limit. */
  async isOver(lane: Lane): Promise<boolean> {
    const { thread } = lane;
    if (thread === null || this.#looking) return false;
    const { active } = thread.performance.eventLoopUtilization();
    if (this.#base !== null && active - this.#active < 1) return false;
    this.#active = active;
    this.#looking = true;
    try {
      return await this.#look(thread);
    } catch {
      // The thread ended meanwhile.
      return false;
    } finally {
      this.#looking = false;
      this.#askedAt = null;
    }
  }

  async #look(thread: Worker): Promise<boolean> {
    const held = heldBytes(await this.#ask(() => thread.getHeapStatistics()));
    this.#base ??= Math.min(held, MAX_BASE);
    this.used = held - this.#base;
    if (this.used <= this.limit) {
      this.#close = 0;
      return false;
    }
    await this.collect(thread);
    // What it has allocated since the collection is no proof either: where that may be it, the least of two counts.
    if (this.used > this.limit && this.used < 2 * this.limit) {
      const { used } = this;
      await this.collect(thread);
      this.used = Math.min(this.used, used);
    }
    // Close to the limit every look would collect again and the worker would get nowhere: three in a row are enough.
    this.#close = this.used > 0.8 * this.limit ? this.#close + 1 : 0;
    return this.used > this.limit || this.#close >= 3;
  }

  /** Makes the worker collect its garbage, and measures what is left. */
  async collect(thread: Worker): Promise<void> {
    const profile = await this.#ask(() =>
      thread.startHeapProfile({ forceGC: true, sampleInterval: 2 ** 30, stackDepth: 1 }),
    );
    await this.#ask(() => profile.stop());
    this.used = heldBytes(await this.#ask(() => thread.getHeapStatistics())) - (this.#base ?? 0);
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    this.#askedAt = performance.now();
    this.residentBefore = process.memoryUsage.rss();
    const answer = await request();
    this.#askedAt = null;
    return answer;
  }
}

function heldBytes(heap: HeapInfo): number {
  return heap.used_heap_size + heap.external_memory;
}
