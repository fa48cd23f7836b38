import type { AbortReason } from '../protocol/engine.ts';
import { mayRerun, type EngineCall } from './call.ts';
import type { Lane } from './lane.ts';
import type { Ledger } from './ledger.ts';
import { DRAIN_MS, DRAIN_NO_RERUN_MS, GONE_LARGE_MS, GONE_MS, GRACE_MS, NO_PONG_MS } from './settings.ts';

/** Why a lane's thread has to go: for the sake of an aborted call, because one of its calls computes and the others cannot go on, or for what the code on it did. */
export type EndCause = 'abort' | 'held' | 'memory' | 'crash';

/**
 * How calls are ended that do not end by themselves, and what becomes of the others on the same thread.
 *
 * An aborted call whose code settles within the grace is over, and its thread is sound. If it does not settle, its code cannot be
 * proven gone: the lane takes no more calls, the others on it may finish for a bounded time, and then the thread is ended. If the
 * thread shows no life, it is ended at once. If it is not gone 250 ms later it never will be, and the host has to kill the engine.
 *
 * Guilt: a thread that ran out of memory or crashed was ended by the one call that had begun on it. If several had, none is failed:
 * each is returned as a suspect, to be run again alone, so that the second time the guilty one is known. The same is done where one of several
 * calls computes for long, which is no guilt, but holds the others up. Calls that had not
 * begun go to another lane.
 */
export class Ending {
  readonly #ledger: Ledger;
  readonly #requeue: (call: EngineCall) => void;
  readonly #isTooLarge: () => boolean;

  /** `requeue` takes calls back that have not begun; `isTooLarge` says whether the process holds more than its lanes may. */
  constructor(ledger: Ledger, requeue: (call: EngineCall) => void, isTooLarge: () => boolean) {
    this.#ledger = ledger;
    this.#requeue = requeue;
    this.#isTooLarge = isTooLarge;
  }

  /** Ends a call that is on a lane. */
  abort(call: EngineCall, lane: Lane, reason: AbortReason): void {
    call.abortedAt = performance.now();
    if (lane.revoke(call)) return this.#ledger.ended(call, null);
    if (lane.state === 'ending') return;
    lane.send({ type: 'abort', key: call.message.key, reason });
    call.abortPing = lane.ping();
    afterEvents(GRACE_MS, () => this.#afterGrace(call, lane));
  }

  /** A call has ended by itself: perhaps its lane need not wait any longer. */
  settled(lane: Lane): void {
    if (lane.state === 'draining' && othersOn(lane).length === 0) this.terminate(lane, 'abort');
  }

  /** Ends the lane's thread now. What becomes of the calls on it is told when it is gone; a guilty one fails at once. */
  terminate(lane: Lane, cause: EndCause): void {
    if (lane.state === 'ending' || lane.state === 'gone') return;
    this.revokeAll(lane);
    this.#blame(lane, cause);
    lane.end();
    setTimeout(() => this.#afterTerminate(lane, cause), GONE_MS);
  }

  /** The lane's thread is gone. Innocent calls begin again only now: if the whole engine has to go, they do so once, not twice. */
  gone(lane: Lane, cause: EndCause): void {
    this.revokeAll(lane);
    this.#blame(lane, cause);
    for (const call of lane.calls.values()) {
      if (call.abortedAt !== null) this.#ledger.ended(call, performance.now() - call.abortedAt);
      else if (call.answered) this.#ledger.ended(call, null);
      else this.#ledger.returned(call, call.suspect);
    }
    lane.calls.clear();
  }

  #afterTerminate(lane: Lane, cause: EndCause): void {
    if (lane.state === 'gone') return;
    // A large heap takes its time to collect and to tear down: only an engine that grows has to go for it.
    if (cause === 'memory' && !lane.memory.isSilent && !this.#isTooLarge()) {
      setTimeout(() => {
        if (lane.state !== 'gone') this.#ledger.stuck(lane.calls.values());
      }, GONE_LARGE_MS - GONE_MS);
    } else {
      this.#ledger.stuck(lane.calls.values());
    }
  }

  #afterGrace(call: EngineCall, lane: Lane): void {
    if (lane.state === 'draining') return this.settled(lane);
    if (!isStillOn(lane, call)) return;
    if (lane.hasPonged(call.abortPing)) return this.#drain(lane);
    afterEvents(NO_PONG_MS - GRACE_MS, () => {
      if (!isStillOn(lane, call)) return;
      if (lane.hasPonged(call.abortPing)) this.#drain(lane);
      else this.terminate(lane, 'abort');
    });
  }

  #drain(lane: Lane): void {
    if (lane.state !== 'open') return;
    lane.state = 'draining';
    this.revokeAll(lane);
    const others = othersOn(lane);
    if (others.length === 0) return this.terminate(lane, 'abort');
    setTimeout(
      () => {
        if (lane.state === 'draining') this.terminate(lane, 'abort');
      },
      others.every(mayRerun) ? DRAIN_MS : DRAIN_NO_RERUN_MS,
    );
  }

  /** Gives what the lane has not begun to others. */
  revokeAll(lane: Lane): void {
    for (const call of lane.calls.values()) if (lane.revoke(call)) this.#requeue(call);
  }

  /** Says which call on a lane is guilty of the end of its thread: the one that had begun, or else any of them. */
  #blame(lane: Lane, cause: EndCause): void {
    if (cause === 'abort') return;
    const running = [...lane.calls.values()];
    if (cause === 'held' || running.length > 1) {
      for (const call of running) call.suspect = true;
      return;
    }
    const [code, message] = GUILT[cause];
    for (const call of running) {
      if (call.abortedAt === null) this.#ledger.failed(call, code, message);
    }
  }
}

const GUILT = {
  memory: ['OUT_OF_MEMORY', 'the call used more memory than the limit of its plugin allows'],
  crash: ['PLUGIN_CRASHED', 'the call ended the worker that ran it'],
} as const;

function isStillOn(lane: Lane, call: EngineCall): boolean {
  return lane.state === 'open' && lane.calls.get(call.message.key) === call;
}

/** Calls on a lane that nobody wants to end. */
function othersOn(lane: Lane): EngineCall[] {
  return [...lane.calls.values()].filter((call) => call.abortedAt === null);
}

/** Waits, and then lets what has arrived meanwhile be handled first: a busy process must not judge before it has read. */
function afterEvents(ms: number, then: () => void): void {
  setTimeout(() => setImmediate(then), ms);
}
