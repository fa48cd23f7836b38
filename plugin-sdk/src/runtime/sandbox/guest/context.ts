import type { SocketAddress, SocketOptions } from '../../../contract/context.ts';
import type { ConnectorLogLevel } from '../../../contract/context.ts';
import type { JsonValue } from '../../../contract/json.ts';
import { MAX_SPAN_NAME_CHARS } from '../../../contract/limits.ts';
import type { AbortReason } from '../../protocol/engine.ts';
import { type AbortSignal, fireSignal, makeSignal, orAborted } from './abort.ts';
import type { GuestCall } from './calls.ts';
import { DOMException } from './dom-exception.ts';
import { fetchFor } from './fetch.ts';
import { outer } from './outer.ts';
import type { RequestInit } from './request.ts';
import type { Response } from './response.ts';
import { type Socket, connectFor } from './sockets.ts';
import { Storage } from './storage.ts';
import { clearTimeout, setTimeoutFor } from './timers.ts';
import { textOf } from './text.ts';

const MAX_PROGRESS_CHARS = 1024;

/** What an action's `run` gets first. Made once per call, so everything that costs is made when it is asked for. */
export class Context {
  readonly #call: GuestCall;
  #signal: AbortSignal | null = null;
  #log: Log | null = null;
  #storage: Storage | null = null;
  #fetch: ((input: unknown, init?: RequestInit) => Promise<Response>) | null = null;
  #credential: JsonValue | undefined;

  constructor(call: GuestCall) {
    this.#call = call;
  }

  get traceId(): string {
    return this.#call.context.traceId;
  }
  get traceparent(): string {
    return this.#call.context.traceparent;
  }
  get runId(): string {
    return this.#call.context.runId;
  }
  get workflowId(): string {
    return this.#call.context.workflowId;
  }
  get stepId(): string {
    return this.#call.context.stepId;
  }
  get attempt(): number {
    return this.#call.context.attempt;
  }
  get idempotencyKey(): string {
    return this.#call.context.idempotencyKey;
  }
  get tenantId(): string {
    return this.#call.context.tenantId;
  }
  get userId(): string {
    return this.#call.context.userId;
  }
  get deadline(): number {
    return this.#call.deadline;
  }
  remaining(): number {
    return Math.max(0, this.#call.deadline - Date.now());
  }
  get credential(): JsonValue {
    this.#credential ??= deepFreeze(this.#call.context.credential);
    return this.#credential;
  }
  get signal(): AbortSignal {
    this.#signal ??= signalOf(this.#call);
    return this.#signal;
  }
  get log(): Log {
    this.#log ??= new Log(this.#call);
    return this.#log;
  }
  get storage(): Storage {
    this.#storage ??= new Storage(this.#call);
    return this.#storage;
  }
  /** A function of its own, because connectors hand it to libraries. */
  get fetch(): (input: unknown, init?: RequestInit) => Promise<Response> {
    const call = this.#call;
    this.#fetch ??= (input, init) => fetchFor(call, input, init);
    return this.#fetch;
  }
  connect(address: SocketAddress, options?: SocketOptions): Socket {
    return connectFor(this.#call, address, options);
  }
  async sleep(ms: number): Promise<void> {
    this.#call.refuseIfOver();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeoutFor(this.#call, resolve, ms);
    try {
      await orAborted(promise, this.signal);
    } finally {
      clearTimeout(timer);
    }
  }
  progress(fraction: number, message?: string): void {
    if (this.#call.ended) return;
    const clamped = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0));
    outer.progress(
      this.#call.key,
      clamped,
      message === undefined ? null : textOf(message).slice(0, MAX_PROGRESS_CHARS),
    );
  }
  async span<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const begun = outer.now();
    let failed = true;
    try {
      const value = await work();
      failed = false;
      return value;
    } finally {
      outer.span(this.#call.key, textOf(name).slice(0, MAX_SPAN_NAME_CHARS), outer.now() - begun, failed);
    }
  }
  get [Symbol.toStringTag](): string {
    return 'ConnectorContext';
  }
}

/** `ctx.log`: its methods work when they are taken off it. */
class Log {
  readonly debug: (message: unknown, fields?: object) => void;
  readonly info: (message: unknown, fields?: object) => void;
  readonly warn: (message: unknown, fields?: object) => void;
  readonly error: (message: unknown, fields?: object) => void;

  constructor(call: GuestCall) {
    const write = (level: ConnectorLogLevel) => (message: unknown, fields?: object) =>
      call.log(level, safeText(message), fields);
    this.debug = write('debug');
    this.info = write('info');
    this.warn = write('warn');
    this.error = write('error');
  }
}

function safeText(message: unknown): string {
  try {
    return String(message);
  } catch {
    return '[unreadable]';
  }
}

function signalOf(call: GuestCall): AbortSignal {
  const signal = makeSignal();
  const fire = (reason: AbortReason): void =>
    fireSignal(
      signal,
      reason === 'deadline'
        ? new DOMException('the deadline of the call has passed', 'TimeoutError')
        : new DOMException('the call was cancelled', 'AbortError'),
    );
  if (call.aborted === null) call.onAbort(fire);
  else fire(call.aborted);
  return signal;
}

/** The credential's values are plain data that nobody may change for the connector's other code. */
function deepFreeze(value: JsonValue): JsonValue {
  if (value !== null && typeof value === 'object') {
    for (const item of Object.values(value)) if (item !== undefined) deepFreeze(item as JsonValue);
    Object.freeze(value);
  }
  return value;
}
