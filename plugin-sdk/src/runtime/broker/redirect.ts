import { egressDenied } from './errors.ts';
import { type Header, without } from './headers.ts';

/** Redirects that are followed for one request. */
export const MAX_REDIRECTS = 10;

/** What is about to be sent, with placeholders not yet filled in, except in `url`. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: readonly Header[];
  readonly body: Uint8Array | null;
}

/** What of a hop held a secret when it was sent. */
export interface SecretUse {
  readonly headers: ReadonlySet<string>;
  readonly body: boolean;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const CREDENTIALS = new Set(['authorization', 'cookie', 'proxy-authorization']);
const OF_THE_BODY = new Set(['content-encoding', 'content-language', 'content-location', 'content-type']);

export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/**
 * The request that follows a redirect, by the rules of the Fetch standard. Across origins, credentials and every header that held a
 * secret are dropped; a body that held one is not sent on at all. Throws EGRESS_DENIED then; whether the new host is granted is
 * checked like for any other request. `null`: the location is no URL.
 */
export function nextHop(hop: Hop, status: number, location: string, secrets: SecretUse): Hop | null {
  // The header's bytes are UTF-8 in practice.
  const text = Buffer.from(location, 'latin1').toString('utf8');
  if (!URL.canParse(text, hop.url)) return null;
  const url = new URL(text, hop.url);
  if (url.hash === '') url.hash = hop.url.hash;
  const toGet =
    (status === 303 && hop.method !== 'GET' && hop.method !== 'HEAD') ||
    ((status === 301 || status === 302) && hop.method === 'POST');
  const crosses = url.origin !== hop.url.origin;
  if (crosses && !toGet && secrets.body && hop.body !== null)
    throw egressDenied(
      url.hostname,
      `a redirect of ${hop.url.hostname} would send it a body that holds a secret`,
      'redirect',
    );
  const headers = without(
    hop.headers,
    (name) => (toGet && OF_THE_BODY.has(name)) || (crosses && (CREDENTIALS.has(name) || secrets.headers.has(name))),
  );
  return { url, method: toGet ? 'GET' : hop.method, headers, body: toGet ? null : hop.body };
}
