import { invalidCall } from './errors.ts';

export type Header = readonly [name: string, value: string];

const MAX_HEADERS = 256;
const MAX_HEADER_CHARS = 64 * 1024;

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/** Set by the broker or by the connection, never by a connector. `proxy-*` and `sec-*` count as well. */
const FORBIDDEN = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);

/**
 * Checks what a connector wants to send and gives it back in lower case. Headers that belong to the connection are left out without
 * a word, as a browser's `fetch` does: libraries set them from habit. Names and values that could end a header line are refused.
 */
export function requestHeaders(headers: readonly Header[]): Header[] {
  if (headers.length > MAX_HEADERS) throw invalidCall(`a request has at most ${MAX_HEADERS} headers`);
  let chars = 0;
  const sent: Header[] = [];
  for (const [name, value] of headers) {
    chars += name.length + value.length;
    if (chars > MAX_HEADER_CHARS)
      throw invalidCall(`the headers of a request have at most ${MAX_HEADER_CHARS} characters`);
    if (!NAME.test(name)) throw invalidCall(`${JSON.stringify(name.slice(0, 80))} is not a header name`);
    if (!VALUE.test(value)) throw invalidCall(`the header "${name}" has characters that a header cannot have`);
    const lower = name.toLowerCase();
    if (!FORBIDDEN.has(lower) && !/^(?:proxy|sec)-/.test(lower))
      sent.push([lower, value.replace(/^[\t ]+|[\t ]+$/g, '')]);
  }
  return sent;
}

export function headerValue(headers: readonly Header[], name: string): string | null {
  const values = headers.filter((header) => header[0] === name).map((header) => header[1]);
  return values.length === 0 ? null : values.join(', ');
}

export function without(headers: readonly Header[], names: (name: string) => boolean): Header[] {
  return headers.filter(([name]) => !names(name));
}
