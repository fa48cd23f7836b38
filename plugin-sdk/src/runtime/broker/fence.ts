import { performance } from 'node:perf_hooks';
import type { AbortReason } from '../protocol/engine.ts';
import { BrokerError } from './errors.ts';

export type CloseReason = AbortReason | 'ended';

/**
 * The end of a session, as seen by everything that it opened. Whatever holds a socket registers how to destroy it; when the fence
 * falls, all of it is destroyed in the same turn, and `check` throws from then on.
 */
export class Fence {
  readonly deadline: number;
  /** Whose session it is: who waits where only so much can be done at once. */
  readonly owner: string;
  #closed: BrokerError | null = null;
  #teardowns: Set<(reason: BrokerError) => void> | null = null;

  /** `deadline`: `performance.now()` of this process, in milliseconds. */
  constructor(deadline: number, owner = '') {
    this.deadline = deadline;
    this.owner = owner;
  }

  get closed(): BrokerError | null {
    return this.#closed;
  }

  /** Milliseconds until the deadline, never below 0. */
  remaining(): number {
    return Math.max(0, this.deadline - performance.now());
  }

  /** Throws when the session has ended or its deadline has passed; to be called after every await and before every write. */
  check(): void {
    if (this.#closed !== null) throw this.#closed;
    if (performance.now() >= this.deadline) throw CLOSE_ERRORS['deadline'];
  }

  /** Runs `teardown` when the fence falls; the returned function takes it back. */
  onClose(teardown: (reason: BrokerError) => void): () => void {
    if (this.#closed !== null) {
      teardown(this.#closed);
      return () => {};
    }
    const teardowns = (this.#teardowns ??= new Set());
    teardowns.add(teardown);
    return () => teardowns.delete(teardown);
  }

  close(reason: CloseReason): void {
    if (this.#closed !== null) return;
    const error = CLOSE_ERRORS[reason];
    this.#closed = error;
    const teardowns = this.#teardowns;
    this.#teardowns = null;
    for (const teardown of teardowns ?? []) teardown(error);
  }
}

// Made once: an error's stack costs more than all else that a call which asked for nothing needs here, and these are only sent as data.
const CLOSE_ERRORS: Readonly<Record<CloseReason, BrokerError>> = {
  deadline: new BrokerError('DEADLINE_EXCEEDED', 'the deadline of the call has passed'),
  cancelled: new BrokerError('CANCELLED', 'the run was cancelled'),
  ended: new BrokerError('CANCELLED', 'the call has ended; what it left open was closed'),
};
