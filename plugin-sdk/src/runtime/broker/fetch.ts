import { performance } from 'node:perf_hooks';
import { type Host, MAX_RESPONSE_BYTES, parseHost, showHost } from '../../contract/index.ts';
import type { FetchHead, FetchRequest } from '../protocol/broker.ts';
import type { Report } from './circuits.ts';
import type { ConnectionPool, HttpConnection, HttpTarget } from './connections.ts';
import { ACCEPT_ENCODING } from './decode.ts';
import { BrokerError, egressDenied, invalidCall, isNetworkFailure, unusableAnswer } from './errors.ts';
import { type AnswerHead, Exchange } from './exchange.ts';
import type { Fence } from './fence.ts';
import type { Grants } from './grants.ts';
import { type Header, headerValue, requestHeaders, without } from './headers.ts';
import type { ByteMask } from './mask-stream.ts';
import type { Placeholders } from './placeholders.ts';
import type { EgressRecord } from './record.ts';
import { type Hop, isRedirect, MAX_REDIRECTS, nextHop, type SecretUse } from './redirect.ts';

/** What of a session a request needs. */
export interface HttpPowers {
  readonly fence: Fence;
  readonly pool: ConnectionPool;
  /** Throws CIRCUIT_OPEN where the host is left alone. */
  enter(host: string, port: number): Report;
  readonly grants: Grants;
  readonly placeholders: Placeholders | null;
  readonly mask: ByteMask | null;
  /** Gives each request that is sent its trace context; empty: none. */
  readonly traceparent: () => string;
  record(record: EgressRecord): void;
  /** Keeps an answer whose body is still to be read; gives the number to ask for it with. */
  keepBody(exchange: Exchange): number;
}

/** Largest body that is answered together with its head, in bytes. */
const INLINE_BYTES = 64 * 1024;
/** How long a head waits for its announced short body, in milliseconds. */
const INLINE_WAIT_MS = 25;

/** A gateway, or the service itself, says that nobody is there at the moment. Other errors are about the request. */
const GONE_STATUSES = new Set([502, 503, 504]);

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}$/;
const FORBIDDEN_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK']);
const NORMALISED_METHODS = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);
/** Asking twice does the same as asking once, and there is no body: may be sent again on a new connection. */
const REPEATABLE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Sends a request of a connector, follows its redirects, and answers with the head of the last answer. When the fence of `powers` falls, the connection is
 * destroyed and this rejects; what the operating system had taken before may still reach the service.
 */
export async function brokerFetch(request: FetchRequest, powers: HttpPowers): Promise<FetchHead> {
  let hop = firstHop(request);
  for (let redirects = 0; ; redirects++) {
    const { exchange, head, secrets } = await sendHop(hop, powers);
    if (request.redirect === 'manual' || !isRedirect(head.status) || head.location === null)
      return await answer(exchange, head, hop.url, redirects > 0, powers);
    const stop = (why: string) =>
      unusableAnswer(`${hop.url.host} ${why}`, { host: hop.url.hostname, status: head.status });
    exchange.discard(stop('answered with a redirect'));
    if (request.redirect === 'error') throw stop('answered with a redirect, which the request does not allow');
    if (redirects >= MAX_REDIRECTS) throw stop(`redirected more than ${MAX_REDIRECTS} times`);
    const next = nextHop(hop, head.status, head.location, secrets);
    if (next === null) throw stop('redirected to something that is not a URL');
    hop = next;
  }
}

function firstHop(request: FetchRequest): Hop {
  if (!URL.canParse(request.url)) throw invalidCall('the URL of the request is not a URL');
  const upper = request.method.toUpperCase();
  const method = NORMALISED_METHODS.has(upper) ? upper : request.method;
  if (!METHOD.test(method) || FORBIDDEN_METHODS.has(upper))
    throw invalidCall(`the method ${JSON.stringify(method.slice(0, 40))} cannot be sent`);
  const body = request.body?.byteLength === 0 ? null : request.body;
  if (body !== null && (method === 'GET' || method === 'HEAD')) throw invalidCall(`a ${method} request has no body`);
  return {
    url: new URL(request.url),
    method,
    headers: withDefaults(requestHeaders(request.headers)),
    body,
  };
}

/** The trace context is the broker's: a run's requests belong to its trace, whatever the connector says. */
function withDefaults(given: readonly Header[]): Header[] {
  const headers = without(given, (name) => name === 'traceparent');
  const has = (name: string) => headers.some((header) => header[0] === name);
  if (!has('accept')) headers.push(['accept', '*/*']);
  if (!has('user-agent')) headers.push(['user-agent', 'GoFlow']);
  // A part of a compressed answer could not be decompressed.
  if (!has('accept-encoding')) headers.push(['accept-encoding', has('range') ? 'identity' : ACCEPT_ENCODING]);
  return headers;
}

interface SentHop {
  readonly exchange: Exchange;
  readonly head: AnswerHead;
  readonly secrets: SecretUse;
}

/** Checks one hop and sends it. Whatever happens, exactly one egress record is written. */
async function sendHop(hop: Hop, powers: HttpPowers): Promise<SentHop> {
  const startedAt = performance.now();
  const traceparent = powers.traceparent();
  const log = (part: Partial<EgressRecord>) =>
    powers.record({
      kind: 'http',
      method: hop.method,
      host: parseHost(hop.url.hostname)?.host ?? hop.url.hostname,
      port: portOf(hop.url),
      address: null,
      rule: 'invalid',
      status: null,
      bytesSent: 0,
      bytesReceived: 0,
      error: null,
      ...(traceparent === '' ? {} : { traceparent }),
      ...part,
      durationMs: performance.now() - startedAt,
    });
  let rule = 'invalid';
  let recorded = false;
  let report: Report | null = null;
  try {
    const target = targetOf(hop.url);
    rule = powers.grants.forRequest(target.secure, target.host, target.port).text;
    report = powers.enter(target.host.host, target.port);
    const { headers: filled, path, body, secrets } = fillIn(hop, powers.placeholders);
    const headers: readonly Header[] = traceparent === '' ? filled : [...filled, ['traceparent', traceparent]];
    for (let attempt = 0; ; attempt++) {
      const connection = await powers.pool.take(target, powers.fence, attempt > 0);
      let stale = false;
      const name = `${showHost(target.host.host)}:${target.port}`;
      const exchange: Exchange = new Exchange(connection, name, powers.mask, (error) => {
        release();
        stale = error !== null && attempt === 0 && isStale(connection, exchange, hop, powers.fence);
        if (error === null) powers.pool.release(connection);
        if (stale) return;
        recorded = true;
        const { status, bytesSent, bytesReceived } = exchange;
        const waits = exchange.retryAfterMs > 0 ? { retryAfterMs: exchange.retryAfterMs } : {};
        log({
          address: connection.address,
          rule,
          status,
          bytesSent,
          bytesReceived,
          error: error?.data ?? null,
          ...waits,
        });
      });
      let release = () => {};
      release = powers.fence.onClose((reason) => exchange.abort(reason));
      try {
        const head = await exchange.send({ method: hop.method, path, headers, body });
        report(GONE_STATUSES.has(head.status) ? 'bad' : 'good', exchange.retryAfterMs);
        return { exchange, head, secrets };
      } catch (error) {
        if (!stale) throw error;
      }
    }
  } catch (error) {
    report?.(error instanceof BrokerError && isNetworkFailure(error) ? 'bad' : 'none');
    if (!recorded && error instanceof BrokerError) log({ rule: error.rule ?? rule, error: error.data });
    throw error;
  }
}

/** A kept connection that the server had closed in the meantime: the request has not been answered and may be sent again. */
function isStale(connection: HttpConnection, exchange: Exchange, hop: Hop, fence: Fence): boolean {
  if (!connection.used || exchange.status !== null || fence.closed !== null) return false;
  return !exchange.started || REPEATABLE_METHODS.has(hop.method);
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

/** Where a URL leads, before any permission is looked at. Throws EGRESS_DENIED for what is never sent. */
function targetOf(url: URL): HttpTarget {
  const secure = url.protocol === 'https:';
  if (!secure && url.protocol !== 'http:')
    throw egressDenied(
      url.hostname === '' ? url.protocol : url.hostname,
      `only http and https are spoken, not "${url.protocol}"`,
      'scheme',
    );
  const host: Host | null = parseHost(url.hostname);
  if (host === null) throw egressDenied(url.hostname.slice(0, 253), 'it is not a host name', 'host-name');
  if (url.username !== '' || url.password !== '')
    throw egressDenied(
      showHost(host.host),
      'a URL with a user name or password is not sent; use an authorization header',
      'userinfo',
    );
  return { secure, host, port: portOf(url) };
}

interface FilledIn {
  readonly headers: readonly Header[];
  readonly path: string;
  readonly body: Uint8Array | null;
  readonly secrets: SecretUse;
}

/** The hop as it is sent: every placeholder replaced by its secret. */
function fillIn(hop: Hop, placeholders: Placeholders | null): FilledIn {
  const path = hop.url.pathname + hop.url.search;
  if (placeholders === null)
    return { headers: hop.headers, path, body: hop.body, secrets: { headers: new Set(), body: false } };
  const secretHeaders = new Set<string>();
  const headers = hop.headers.map(([name, value]): Header => {
    const filled = placeholders.inHeader(name, value);
    if (filled.secret) secretHeaders.add(name);
    return [name, filled.value];
  });
  const body = hop.body === null ? null : placeholders.inBody(hop.body, headerValue(hop.headers, 'content-type') ?? '');
  return {
    headers,
    path: placeholders.inPath(path).value,
    body: body?.value ?? null,
    secrets: { headers: secretHeaders, body: body?.secret ?? false },
  };
}

async function answer(
  exchange: Exchange,
  head: AnswerHead,
  url: URL,
  redirected: boolean,
  powers: HttpPowers,
): Promise<FetchHead> {
  const shown = new URL(url);
  shown.hash = '';
  const base = {
    status: head.status,
    statusText: head.statusText,
    url: powers.mask === null ? shown.href : powers.mask.text(shown.href),
    redirected,
    headers: head.headers,
  };
  const queue = exchange.body;
  if (queue === null) return { ...base, bytes: null, body: null };
  if (head.contentLength !== null && head.contentLength > MAX_RESPONSE_BYTES) {
    const tooLarge = unusableAnswer(
      `the answer of ${url.host} has ${head.contentLength} bytes; at most ${MAX_RESPONSE_BYTES / 1024 / 1024} MB are read`,
      { host: url.hostname },
    );
    exchange.abort(tooLarge);
    throw tooLarge;
  }
  if (queue.open) await shortWait(queue.complete(INLINE_BYTES), (head.contentLength ?? Infinity) <= INLINE_BYTES);
  if (queue.ended && queue.size <= INLINE_BYTES) return { ...base, bytes: queue.take(), body: null };
  // A body that has failed by now says so at its first read.
  return { ...base, bytes: null, body: powers.keepBody(exchange) };
}

/** Waits for a short body, for a moment where its length was announced, else for the rest of this turn. */
async function shortWait(complete: Promise<void>, announced: boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (!announced) {
    setImmediate(resolve);
    await Promise.race([complete, promise]);
    return;
  }
  const timer = setTimeout(resolve, INLINE_WAIT_MS);
  await Promise.race([complete, promise]);
  clearTimeout(timer);
}
