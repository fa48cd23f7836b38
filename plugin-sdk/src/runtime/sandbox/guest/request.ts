import { AbortSignal, makeSignal } from './abort.ts';
import { Body, type Content, extractContent } from './body.ts';
import { Headers, type HeadersInit } from './headers.ts';
import { URL } from './url.ts';

export interface RequestInit {
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly body?: unknown;
  readonly redirect?: string;
  readonly signal?: AbortSignal | null;
  readonly cache?: string;
  readonly credentials?: string;
  readonly mode?: string;
  readonly referrer?: string;
  readonly integrity?: string;
  readonly keepalive?: boolean;
}

const NORMALIZED = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);
const REDIRECTS: readonly string[] = ['follow', 'error', 'manual'];

/** What a request has that is made from a URL alone. */
const NOT_FROM = { url: '', method: 'GET', headers: undefined, redirect: 'follow' } as const;

/** For our own code: the content of a request, and its signal if it was given one. */
export let requestParts: (request: Request) => {
  readonly content: Content | null;
  readonly signal: AbortSignal | null;
};

export class Request extends Body {
  readonly #url: string;
  readonly #method: string;
  readonly #headers: Headers;
  readonly #redirect: 'follow' | 'error' | 'manual';
  readonly #content: Content | null;
  readonly #init: RequestInit;
  #signal: AbortSignal | null;

  static {
    requestParts = (request) => ({ content: request.#content, signal: request.#signal });
  }

  constructor(input: unknown, init: RequestInit = {}) {
    super();
    const from = input instanceof Request ? input : NOT_FROM;
    const url = new URL(from === NOT_FROM ? input : from.url);
    if (url.username !== '' || url.password !== '') {
      throw new TypeError('a URL to fetch holds no user or password: send an authorization header');
    }
    this.#url = url.href;
    this.#method = readMethod(init.method ?? from.method);
    this.#headers = new Headers(init.headers ?? from.headers);
    this.#redirect = readRedirect(init.redirect ?? from.redirect);
    this.#signal = readSignal(init.signal === undefined && input instanceof Request ? input.#signal : init.signal);
    this.#init = init;
    this.#content = this.#readContent(init.body, input instanceof Request ? input.#content : null);
  }

  #readContent(body: unknown, inherited: Content | null): Content | null {
    if (body === null) return null;
    if (body === undefined) return takeOver(inherited);
    if (this.#method === 'GET' || this.#method === 'HEAD') throw new TypeError(`${this.#method} requests have no body`);
    const { content, type } = extractContent(body);
    if (type !== null && !this.#headers.has('content-type')) this.#headers.set('content-type', type);
    return content;
  }

  get url(): string {
    return this.#url;
  }
  get method(): string {
    return this.#method;
  }
  override get headers(): Headers {
    return this.#headers;
  }
  get redirect(): string {
    return this.#redirect;
  }
  get signal(): AbortSignal {
    return (this.#signal ??= makeSignal());
  }
  get cache(): string {
    return this.#init.cache ?? 'default';
  }
  get credentials(): string {
    return this.#init.credentials ?? 'same-origin';
  }
  get mode(): string {
    return this.#init.mode ?? 'cors';
  }
  get referrer(): string {
    return this.#init.referrer ?? 'about:client';
  }
  get integrity(): string {
    return this.#init.integrity ?? '';
  }
  get keepalive(): boolean {
    return this.#init.keepalive ?? false;
  }
  get destination(): string {
    return '';
  }
  get duplex(): string {
    return 'half';
  }
  protected override get content(): Content | null {
    return this.#content;
  }
  clone(): Request {
    const body = this.#content?.fork().stream ?? null;
    return new Request(this.#url, {
      ...this.#init,
      method: this.#method,
      headers: this.#headers,
      redirect: this.#redirect,
      signal: this.#signal,
      body,
    });
  }
  get [Symbol.toStringTag](): string {
    return 'Request';
  }
}

/** A Request made from another takes its body, which is used up thereby. */
function takeOver(content: Content | null): Content | null {
  if (content === null) return null;
  const taken = content.fork();
  content.cancel();
  return taken;
}

function readMethod(method: unknown): string {
  const text = String(method);
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text)) throw new TypeError(`"${text}" is not an HTTP method`);
  const upper = text.toUpperCase();
  if (upper === 'CONNECT' || upper === 'TRACE' || upper === 'TRACK')
    throw new TypeError(`${upper} requests are not allowed`);
  return NORMALIZED.has(upper) ? upper : text;
}

function readRedirect(redirect: unknown): 'follow' | 'error' | 'manual' {
  const text = String(redirect);
  if (!REDIRECTS.includes(text)) throw new TypeError(`redirect is one of ${REDIRECTS.join(', ')}, got "${text}"`);
  return text as 'follow';
}

function readSignal(signal: unknown): AbortSignal | null {
  if (signal === undefined || signal === null) return null;
  if (!(signal instanceof AbortSignal)) throw new TypeError('signal must be an AbortSignal');
  return signal;
}
