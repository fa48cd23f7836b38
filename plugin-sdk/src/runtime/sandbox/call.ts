import type { ConnectorLogLevel, ErrorData, JsonObject } from '../../contract/index.ts';
import { MAX_LOG_CHARS, MAX_LOG_LINES, MAX_SPANS } from '../../contract/index.ts';
import type { AbortReason } from '../protocol/engine.ts';
import type { BrokerCall } from '../protocol/broker.ts';
import type { Guest } from './border.ts';
import type { Outbox } from './outbox.ts';

/**
 * One call of an action, as the outer realm knows it: what it owns here (timers, streams) and how much it has said. When it has
 * ended nothing of it can reach the engine any more.
 */
export class Call {
  readonly key: number;
  readonly guest: Guest;
  readonly #outbox: Outbox;
  readonly #started = performance.now();
  readonly #onEnd = new Set<() => void>();
  #asks = 0;
  #lines = 0;
  #spans = 0;
  #ended = false;
  #aborted: AbortReason | null = null;

  constructor(key: number, guest: Guest, outbox: Outbox) {
    this.key = key;
    this.guest = guest;
    this.#outbox = outbox;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Registers what has to go when the call ends; returns the function that takes the registration back. */
  own(dispose: () => void): () => void {
    this.#onEnd.add(dispose);
    return () => this.#onEnd.delete(dispose);
  }

  /** Sends a broker call; its number, or 0 when the call may ask for nothing any more. */
  ask(request: BrokerCall): number {
    if (this.#ended || this.#aborted !== null) return 0;
    const call = ++this.#asks;
    this.#outbox.push({ type: 'call', key: this.key, call, request });
    return call;
  }

  log(level: ConnectorLogLevel, message: string, fields: JsonObject | null): void {
    if (this.#ended) return;
    this.#lines += 1;
    if (this.#lines > MAX_LOG_LINES) return;
    const cut = message.length > MAX_LOG_CHARS ? message.slice(0, MAX_LOG_CHARS) : message;
    // At once: the line before an endless loop is the one that its author needs.
    this.#outbox.pushNow({ type: 'log', key: this.key, level, message: cut, fields });
  }

  progress(fraction: number, message: string | null): void {
    if (this.#ended) return;
    this.#outbox.push({ type: 'progress', key: this.key, fraction, message });
  }

  span(name: string, durationMs: number, failed: boolean): void {
    this.#spans += 1;
    if (this.#ended || this.#spans > MAX_SPANS) return;
    this.#outbox.push({ type: 'span', key: this.key, name, durationMs: Math.max(0, durationMs), failed });
  }

  markAborted(reason: AbortReason): void {
    this.#aborted = reason;
  }

  succeed(output: string): void {
    if (this.#close()) {
      this.#outbox.push({ type: 'result', key: this.key, output, wallMs: this.#wallMs() });
    }
  }

  fail(error: ErrorData): void {
    if (this.#close()) {
      this.#outbox.push({ type: 'failure', key: this.key, error, wallMs: this.#wallMs() });
    }
  }

  #wallMs(): number {
    return performance.now() - this.#started;
  }

  #close(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    for (const dispose of this.#onEnd) dispose();
    this.#onEnd.clear();
    const dropped = this.#lines - MAX_LOG_LINES;
    if (dropped > 0) this.#outbox.push({ type: 'logs-dropped', key: this.key, count: dropped });
    return true;
  }
}
