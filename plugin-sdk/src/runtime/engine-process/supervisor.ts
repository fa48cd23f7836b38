import type { EngineStats, HostMessage } from '../protocol/engine.ts';
import { ownMemory } from '../protocol/own-memory.ts';
import { createCall, type EngineCall } from './call.ts';
import { Ledger } from './ledger.ts';
import type { Outbox } from './outbox.ts';
import { BundlePool, type PoolBundle } from './pool.ts';
import { Residency } from './residency.ts';
import type { Settings } from './settings.ts';
import { Watch } from './watch.ts';

/** The engine process: takes the host's messages, and keeps one pool per bundle. */
export class Supervisor {
  readonly #outbox: Outbox;
  readonly #settings: Settings;
  readonly #ledger: Ledger;
  readonly #pools = new Map<string, BundlePool>();
  /** Known bundles; a pool begins with the first call. */
  readonly #bundles = new Map<string, PoolBundle>();
  readonly #residency: Residency;
  readonly #watch: Watch;

  constructor(outbox: Outbox, settings: Settings) {
    this.#outbox = outbox;
    this.#settings = settings;
    this.#ledger = new Ledger(outbox);
    this.#residency = new Residency(() => this.#pools.values());
    this.#watch = new Watch(() => this.#pools.values(), settings, this.#residency);
  }

  take(batch: readonly HostMessage[]): void {
    for (const message of batch) this.#take(message);
  }

  #take(message: HostMessage): void {
    switch (message.type) {
      case 'open':
        this.#bundles.set(message.digest, message);
        return;
      case 'close':
        return this.#close(message.digest);
      case 'invoke':
      case 'describe':
        return this.#run(createCall(message));
      case 'abort': {
        const call = this.#ledger.get(message.key);
        if (call !== undefined) this.#abort(call, message.reason);
        return;
      }
      case 'answer': {
        const call = this.#ledger.get(message.key);
        if (call?.abortedAt !== null) return;
        call.lane?.send(message.ok ? { ...message, value: ownMemory(message.value) } : message);
        return;
      }
      case 'ping':
        this.#outbox.send({ type: 'pong', id: message.id, stats: this.#stats() });
        return;
    }
  }

  #run(call: EngineCall): void {
    this.#ledger.add(call);
    const pool = this.#pool(call.message.digest);
    if (pool === null) {
      this.#ledger.failed(call, 'PLUGIN_UNAVAILABLE', 'the engine does not know this plugin');
      this.#ledger.ended(call, null);
      return;
    }
    pool.add(call);
    this.#watch.wake();
  }

  #abort(call: EngineCall, reason: 'deadline' | 'cancelled'): void {
    const pool = this.#pools.get(call.message.digest);
    if (pool === undefined || call.answered || call.abortedAt !== null) return;
    if (call.lane === null) {
      pool.remove(call);
      call.abortedAt = performance.now();
      this.#ledger.ended(call, null);
    } else {
      pool.ending.abort(call, call.lane, reason);
    }
  }

  #pool(digest: string): BundlePool | null {
    const known = this.#pools.get(digest);
    if (known !== undefined) return known;
    const bundle = this.#bundles.get(digest);
    if (bundle === undefined) return null;
    const pool = new BundlePool(bundle, this.#ledger, this.#settings, this.#residency, () => this.#laneCount());
    this.#pools.set(digest, pool);
    return pool;
  }

  #close(digest: string): void {
    this.#bundles.delete(digest);
    const pool = this.#pools.get(digest);
    if (pool === undefined) return;
    if (pool.size > 0) {
      // Looked at again when there is time: the end of a pool is in no hurry.
      setTimeout(() => {
        if (!this.#bundles.has(digest)) this.#close(digest);
      }, 1000);
      return;
    }
    this.#pools.delete(digest);
    void pool.dispose();
  }

  #laneCount(): number {
    let lanes = 0;
    for (const pool of this.#pools.values()) lanes += pool.lanes.size;
    return lanes;
  }

  #stats(): EngineStats {
    const pools = [...this.#pools.values()].map((pool) => ({
      digest: pool.bundle.digest,
      threads: pool.lanes.size,
      calls: pool.size,
    }));
    return { rss: process.memoryUsage.rss(), pools };
  }
}
