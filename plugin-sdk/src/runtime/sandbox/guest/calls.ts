import type { CallContext } from '../../../contract/context.ts';
import type { ConnectorLogLevel } from '../../../contract/context.ts';
import type { ErrorData } from '../../../contract/errors.ts';
import { MAX_LOG_CHARS } from '../../../contract/limits.ts';
import type { AbortReason } from '../../protocol/engine.ts';
import type { BrokerAnswer, BrokerAnswers, BrokerCall } from '../../protocol/broker.ts';
import { failure, makeFailure } from './failure.ts';
import { looseJson } from './inspect.ts';
import { outer } from './outer.ts';

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** A broker call as it crosses to the outer realm: bytes travel beside it. */
export type Ask<Op extends BrokerCall['op']> = Op extends 'fetch'
  ? { readonly op: 'fetch'; readonly request: Omit<Extract<BrokerCall, { op: 'fetch' }>['request'], 'body'> }
  : Omit<Extract<BrokerCall, { op: Op }>, 'data'> & { readonly op: Op };

const ENDED = failure('CONNECTOR_ERROR', 'the call has ended: its context works no more');

/** One call of an action, inside the compartment: what it waits for. When it has ended it asks and tells nothing more. */
export class GuestCall {
  readonly key: number;
  readonly context: CallContext;
  readonly deadline: number;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onAbort = new Set<(reason: AbortReason) => void>();
  #aborted: AbortReason | null = null;
  #ended = false;

  constructor(key: number, context: CallContext, deadline: number) {
    this.key = key;
    this.context = context;
    this.deadline = deadline;
  }

  get aborted(): AbortReason | null {
    return this.#aborted;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Asks the broker. Rejects with a ConnectorError-like error; never settles when the call ends first. */
  ask<Op extends BrokerCall['op']>(request: Ask<Op>, bytes: Uint8Array | null = null): Promise<BrokerAnswers[Op]> {
    return new Promise((resolve, reject) => {
      this.refuseIfOver();
      const id = outer.ask(this.key, JSON.stringify(request), bytes);
      if (id < 0) throw new TypeError(`${request.op}: the request is malformed or too large`);
      if (id === 0) throw makeFailure(ENDED);
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
    });
  }

  /** Throws when the call may use its powers no more. */
  refuseIfOver(): void {
    if (this.#aborted !== null) throw makeFailure(abortFailure(this.#aborted));
    if (this.#ended) throw makeFailure(ENDED);
  }

  answer(id: number, ok: boolean, value: BrokerAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (ok) waiting?.resolve(value as never);
    else waiting?.reject(makeFailure(JSON.parse(value as string) as ErrorData));
  }

  log(level: ConnectorLogLevel, message: string, fields: unknown): void {
    if (this.#ended) return;
    const line = message.length > MAX_LOG_CHARS ? `${message.slice(0, MAX_LOG_CHARS - 1)}…` : message;
    outer.log(this.key, level, line, fields === undefined ? null : fieldsText(fields, MAX_LOG_CHARS - line.length));
  }

  onAbort(listener: (reason: AbortReason) => void): void {
    this.#onAbort.add(listener);
  }

  abort(reason: AbortReason): void {
    if (this.#aborted !== null) return;
    this.#aborted = reason;
    for (const listener of this.#onAbort) listener(reason);
    for (const { reject } of this.#waiting.values()) reject(makeFailure(abortFailure(reason)));
    this.#waiting.clear();
  }

  end(): void {
    this.#ended = true;
    calls.delete(this.key);
    this.#waiting.clear();
    this.#onAbort.clear();
  }
}

const calls = new Map<number, GuestCall>();
let loading: GuestCall | undefined;

export function beginCall(call: GuestCall): void {
  calls.set(call.key, call);
}

export function callOf(key: number): GuestCall | undefined {
  return calls.get(key);
}

/** Runs `work` so that what it logs goes to `call`: at module load there is no current call. */
export function whileLoading<T>(call: GuestCall, work: () => T): T {
  loading = call;
  try {
    return work();
  } finally {
    loading = undefined;
  }
}

/** The call that the running code belongs to, by its asynchronous context. */
export function currentCall(): GuestCall | undefined {
  return calls.get(outer.current());
}

/** Where `console` writes. */
export function loggingCall(): GuestCall | undefined {
  return loading ?? currentCall();
}

/** The current call, for globals that need one. `what` begins the message, as in "network". */
export function requireCall(what: string): GuestCall {
  const call = currentCall();
  if (call === undefined) throw new TypeError(`${what} only inside an action: there is no call that this belongs to`);
  return call;
}

export function abortFailure(reason: AbortReason): ErrorData {
  return reason === 'deadline'
    ? failure('DEADLINE_EXCEEDED', 'the deadline of the call has passed')
    : failure('CANCELLED', 'the call was cancelled');
}

function fieldsText(fields: unknown, budget: number): string {
  const text = looseJson(fields, Math.max(budget, 64));
  return text.startsWith('{') ? text : `{"value":${text}}`;
}
