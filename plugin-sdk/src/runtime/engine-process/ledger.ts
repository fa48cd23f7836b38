import type { ErrorData } from '../../contract/index.ts';
import type { LaneEvent } from '../protocol/worker.ts';
import type { EngineCall } from './call.ts';
import type { Outbox } from './outbox.ts';

/** Every call of the engine, until exactly one message has told its end to the host. */
export class Ledger {
  readonly #calls = new Map<number, EngineCall>();
  readonly #outbox: Outbox;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  get(key: number): EngineCall | undefined {
    return this.#calls.get(key);
  }

  add(call: EngineCall): void {
    this.#calls.set(call.message.key, call);
  }

  /** Tells how a call ended by itself. An aborted one has just ended: whatever it says, nobody waits for it. */
  settled(call: EngineCall, event: Extract<LaneEvent, { type: 'result' | 'failure' }>): void {
    if (call.abortedAt !== null) return this.ended(call, null);
    const { key } = call.message;
    const usage = { wallMs: event.wallMs };
    this.#calls.delete(key);
    if (event.type === 'result') this.#outbox.send({ type: 'result', key, output: event.output, usage });
    else this.#outbox.send({ type: 'failure', key, error: event.error, usage });
  }

  /** Tells that a call failed for what it did. Its code may still be there: call `ended` when it is gone. */
  failed(call: EngineCall, code: 'OUT_OF_MEMORY' | 'PLUGIN_CRASHED' | 'PLUGIN_UNAVAILABLE', message: string): void {
    if (call.answered) return;
    call.answered = true;
    const error: ErrorData = { code, message, retryable: code === 'PLUGIN_UNAVAILABLE' };
    this.#outbox.send({ type: 'failure', key: call.message.key, error, usage: { wallMs: 0 } });
  }

  /** Tells that a call was cut off for another's sake. */
  returned(call: EngineCall, suspect: boolean): void {
    const { key } = call.message;
    if (this.#calls.delete(key)) this.#outbox.send({ type: 'returned', key, started: true, suspect });
  }

  /** Tells that nothing is left of an aborted call. */
  ended(call: EngineCall, threadGoneMs: number | null): void {
    const { key } = call.message;
    if (this.#calls.delete(key) && !call.answered) this.#outbox.send({ type: 'ended', key, threadGoneMs });
  }

  /** The thread of these calls cannot be ended: the engine has to be. */
  stuck(calls: Iterable<EngineCall>): void {
    const all = [...calls];
    const keysOf = (some: readonly EngineCall[]) => some.map((call) => call.message.key);
    this.#outbox.send({ type: 'stuck', keys: keysOf(all), suspects: keysOf(all.filter((call) => call.suspect)) });
  }

  /** Passes on what a running call says. */
  said(
    call: EngineCall,
    event: Extract<LaneEvent, { type: 'call' | 'log' | 'logs-dropped' | 'progress' | 'span' }>,
  ): void {
    if (call.abortedAt === null) this.#outbox.send(event);
  }
}
