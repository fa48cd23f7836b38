import type { Dispatcher } from 'undici';
import { AnswerBody } from './answer-body.ts';
import type { BodyQueue } from './body-queue.ts';
import type { HttpConnection } from './connections.ts';
import { type BrokerError, fromNetworkFailure } from './errors.ts';
import { type Header, headerValue } from './headers.ts';
import type { ByteMask } from './mask-stream.ts';
import { retryAfterMs } from './retry-after.ts';

export interface ExchangeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly Header[];
  readonly body: Uint8Array | null;
}

export interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  /** Masked. */
  readonly headers: readonly Header[];
  /** The `location` header as it came: only for following it. */
  readonly location: string | null;
  /** Bytes that the body is announced to have on the wire. */
  readonly contentLength: number | null;
  readonly hasBody: boolean;
}

/** Why an exchange ended: `null` when the whole answer came. */
export type ExchangeEnd = (error: BrokerError | null) => void;

/** Bytes of an unwanted body that are read to keep its connection; beyond, closing it is cheaper. */
const MAX_DRAINED = 64 * 1024;

/** One request and its answer on one connection. */
export class Exchange {
  readonly #connection: HttpConnection;
  readonly #target: string;
  readonly #mask: ByteMask | null;
  readonly #onEnd: ExchangeEnd;
  readonly #head = Promise.withResolvers<AnswerHead>();
  #method = '';
  #controller: Dispatcher.DispatchController | null = null;
  #body: AnswerBody | null = null;
  #contentLength = Number.POSITIVE_INFINITY;
  #discarding = false;
  #over = false;
  /** Bytes of the body, as they went over the wire. */
  bytesSent = 0;
  bytesReceived = 0;
  status: number | null = null;
  /** How long the answer asked to be left alone. */
  retryAfterMs = 0;
  /** Whether anything of the request may have been written. */
  started = false;

  /** `onEnd` is called once, when nothing more will come over the connection for this exchange. */
  constructor(connection: HttpConnection, target: string, mask: ByteMask | null, onEnd: ExchangeEnd) {
    this.#connection = connection;
    this.#target = target;
    this.#mask = mask;
    this.#onEnd = onEnd;
    // An exchange that is aborted while nobody waits for its head is no unhandled rejection.
    this.#head.promise.catch(() => {});
  }

  /** Sends the request; resolves with the head of the answer, or rejects with a `BrokerError`, also when the fence falls: the connection is destroyed then. */
  async send(request: ExchangeRequest): Promise<AnswerHead> {
    this.#method = request.method;
    if (this.#over) return await this.#head.promise;
    try {
      this.#connection.client.dispatch(
        {
          path: request.path,
          method: request.method as Dispatcher.HttpMethod,
          headers: request.headers.flat(),
          body: request.body,
        },
        this.#handler(),
      );
    } catch (error) {
      this.#fail(error);
    }
    return await this.#head.promise;
  }

  get body(): BodyQueue | null {
    return this.#body?.queue ?? null;
  }

  /** Ends it at once: the connection is destroyed, what was not read is gone. */
  abort(reason: BrokerError): void {
    if (this.#over) {
      this.#body?.fail(reason);
      return;
    }
    this.#fail(reason);
    this.#connection.socket.destroy();
  }

  /** The body is not wanted: reads what is left of a short one to keep the connection, else closes it. */
  discard(reason: BrokerError): void {
    this.#body?.fail(reason);
    if (this.#over) return;
    this.#discarding = true;
    if (this.#contentLength - this.bytesReceived <= MAX_DRAINED) this.#controller?.resume();
    else this.abort(reason);
  }

  #handler(): Dispatcher.DispatchHandler {
    return {
      onRequestStart: (controller) => {
        this.#controller = controller;
        if (this.#over) controller.abort(new Error('aborted'));
        else this.started = true;
      },
      onBodySent: (chunk) => {
        this.bytesSent += chunk.byteLength;
      },
      onResponseStart: (controller, status, _headers, statusText) => {
        if (status >= 200) this.#begin(controller, status, statusText ?? '');
      },
      onResponseData: (_controller, chunk) => {
        this.bytesReceived += chunk.byteLength;
        if (!this.#discarding) this.#body?.write(chunk);
      },
      onResponseEnd: () => {
        if (this.#over) return;
        this.#over = true;
        this.#body?.end();
        this.#onEnd(null);
      },
      onResponseError: (_controller, error) => this.#fail(error),
    };
  }

  #begin(controller: Dispatcher.DispatchController, status: number, statusText: string): void {
    if (this.#over) return;
    const raw = rawHeaders(controller);
    const length = headerValue(raw, 'content-length');
    const hasBody = this.#method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304;
    this.status = status;
    this.retryAfterMs = retryAfterMs(status, raw);
    if (hasBody)
      this.#body = new AnswerBody({
        target: this.#target,
        contentEncoding: headerValue(raw, 'content-encoding') ?? '',
        mask: this.#mask?.stream() ?? null,
        pause: () => controller.pause(),
        resume: () => controller.resume(),
        // Not within undici's own callback.
        refuse: (error) => queueMicrotask(() => this.abort(error)),
      });
    const announced = length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null;
    this.#contentLength = announced ?? Number.POSITIVE_INFINITY;
    const mask = this.#mask;
    this.#head.resolve({
      status,
      statusText: mask === null ? statusText : mask.text(statusText),
      headers: mask === null ? raw : raw.map(([name, value]) => [mask.text(name), mask.text(value)] as const),
      location: raw.find(([name]) => name === 'location')?.[1] ?? null,
      contentLength: announced,
      hasBody,
    });
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    const reason = fromNetworkFailure(this.#target, error);
    this.#head.reject(reason);
    this.#body?.fail(reason);
    this.#onEnd(this.#discarding ? null : reason);
  }
}

/** Pairs in their order, so that several `set-cookie` stay several. Names in lower case, bytes as latin1. */
function rawHeaders(controller: Dispatcher.DispatchController): Header[] {
  const raw = controller.rawHeaders;
  if (!Array.isArray(raw)) return [];
  const headers: Header[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    headers.push([latin1(raw[index]).toLowerCase(), latin1(raw[index + 1])]);
  return headers;
}

function latin1(value: Buffer | string | undefined): string {
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '');
}
