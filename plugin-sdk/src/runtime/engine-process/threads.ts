import path from 'node:path';
import type { MessagePort, Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Limits } from '../../contract/index.ts';
import type { LaneStart } from '../protocol/worker.ts';
import { HEAP_HEADROOM_MB, YOUNG_MB } from './settings.ts';

/** A lane's request for a thread. `place` is told which thread it got, once it is up. */
interface Placement {
  place(thread: Worker): void;
}

/**
 * The threads of one bundle: a Piscina pool in which every task is a lane that lives as long as its worker. Piscina starts
 * the worker, holds its limits, ends it when the task's signal fires and forgets it when it dies; the calls go over the
 * lane's own port.
 */
export class Threads {
  readonly #pool: Piscina;
  /** Thread ids that have, or had, a lane: a worker is never used for a second one. */
  readonly #used = new Set<number>();

  constructor(limits: Limits, onError: (error: Error) => void) {
    this.#pool = new Piscina({
      filename: path.join(import.meta.dirname, 'sandbox.js'),
      minThreads: 0,
      maxThreads: 32,
      concurrentTasksPerWorker: 1,
      // Piscina's default sleeps in `Atomics.wait` between tasks, which freezes the timers of a connector.
      atomics: 'disabled',
      recordTiming: false,
      // What a thread may do is not said here: `confine.ts` decides it, for every thread.
      argv: [],
      resourceLimits: {
        maxOldGenerationSizeMb: limits.memory_mb + HEAP_HEADROOM_MB,
        maxYoungGenerationSizeMb: YOUNG_MB,
      },
      loadBalancer: (task, workers) => {
        const placement = (task as unknown as Record<symbol, Placement>)[Piscina.queueOptionsSymbol];
        const chosen = workers.find((worker) => !this.#used.has(worker.id));
        if (chosen === undefined || placement === undefined) return null;
        this.#used.add(chosen.id);
        const thread = this.#pool.threads.find((each) => each.threadId === chosen.id);
        if (thread !== undefined) placement.place(thread);
        return chosen;
      },
    });
    this.#pool.on('error', onError);
  }

  /** Starts a thread with `start`. Settles when the thread's task is over; `signal` ends it. */
  run(start: LaneStart, port: MessagePort, placement: Placement, signal: AbortSignal): Promise<unknown> {
    const task = Object.assign(start, { [Piscina.queueOptionsSymbol]: placement });
    // Piscina infers the type of a transfer list from an overload that @types/node has since reordered.
    const transferList = [port] as unknown as NonNullable<Parameters<Piscina['run']>[1]>['transferList'];
    return this.#pool.run(task, { transferList, signal });
  }

  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }
}
