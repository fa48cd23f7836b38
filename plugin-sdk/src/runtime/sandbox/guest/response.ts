import { Body, type Content, extractContent } from './body.ts';
import { Headers, type HeadersInit } from './headers.ts';
import { URL } from './url.ts';
import { textOf } from './text.ts';

interface ResponseInit {
  readonly status?: number;
  readonly statusText?: string;
  readonly headers?: HeadersInit;
}

/** What an answer of the network brings beyond a constructed response. */
interface Arrived {
  readonly content: Content | null;
  readonly url: string;
  readonly redirected: boolean;
  readonly type: string;
}

const NULL_BODY = new Set([101, 204, 205, 304]);
const REDIRECT = new Set([301, 302, 303, 307, 308]);

/** Makes the response of a fetch: any status, and where it came from. */
export let arrivedResponse: (init: ResponseInit, arrived: Arrived) => Response;

export class Response extends Body {
  #status: number;
  readonly #statusText: string;
  readonly #headers: Headers;
  #content: Content | null;
  #url = '';
  #redirected = false;
  #type = 'default';

  static {
    arrivedResponse = (init, { content, url, redirected, type }) => {
      const response = new Response(null, { headers: init.headers ?? {}, statusText: init.statusText ?? '' });
      response.#status = init.status ?? 200;
      response.#content = content;
      response.#url = url;
      response.#redirected = redirected;
      response.#type = type;
      return response;
    };
  }

  constructor(body: unknown = null, init: ResponseInit = {}) {
    super();
    const status = Math.trunc(init?.status ?? 200);
    if (!(status >= 200 && status <= 599))
      throw new RangeError(`the status of a response is 200 to 599, got ${status}`);
    this.#status = status;
    this.#statusText = textOf(init?.statusText ?? '');
    this.#headers = new Headers(init?.headers);
    this.#content = null;
    if (body === null || body === undefined) return;
    if (NULL_BODY.has(status)) throw new TypeError(`a response with status ${status} has no body`);
    const { content, type } = extractContent(body);
    this.#content = content;
    if (type !== null && !this.#headers.has('content-type')) this.#headers.set('content-type', type);
  }

  static json(data: unknown, init: ResponseInit = {}): Response {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError('the data is not JSON');
    const headers = new Headers(init.headers);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new Response(text, { ...init, headers });
  }
  static error(): Response {
    return arrivedResponse({ status: 0 }, { content: null, url: '', redirected: false, type: 'error' });
  }
  static redirect(url: unknown, status = 302): Response {
    if (!REDIRECT.has(status)) throw new RangeError(`${status} is not the status of a redirect`);
    return new Response(null, { status, headers: { location: new URL(url).href } });
  }

  get status(): number {
    return this.#status;
  }
  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }
  get statusText(): string {
    return this.#statusText;
  }
  override get headers(): Headers {
    return this.#headers;
  }
  get url(): string {
    return this.#url;
  }
  get redirected(): boolean {
    return this.#redirected;
  }
  get type(): string {
    return this.#type;
  }
  protected override get content(): Content | null {
    return this.#content;
  }
  clone(): Response {
    return arrivedResponse(
      { status: this.#status, statusText: this.#statusText, headers: this.#headers },
      {
        content: this.#content?.fork() ?? null,
        url: this.#url,
        redirected: this.#redirected,
        type: this.#type,
      },
    );
  }
  get [Symbol.toStringTag](): string {
    return 'Response';
  }
}
