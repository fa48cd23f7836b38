import { ConnectorError, type Infer } from '@goflow/plugin-sdk';
import type { credential, input } from './schema.ts';

export type HttpCredential = Infer<typeof credential>;
type Asked = Infer<typeof input>;

export interface BuiltRequest {
  readonly url: URL;
  readonly init: RequestInit;
}

/** The request as `fetch` takes it. Secrets of the credential are placeholders here; they are filled in outside of the sandbox. */
export function buildRequest(asked: Asked, credential: HttpCredential): BuiltRequest {
  const url = urlOf(asked, credential);
  const headers = headersOf(asked.headers ?? {});
  authorize(headers, credential);
  const body = bodyOf(asked, headers);
  const method = (asked.method ?? (body === null ? 'GET' : 'POST')).toUpperCase();
  if (body !== null && (method === 'GET' || method === 'HEAD')) throw invalid(`a ${method} request has no body`);
  return { url, init: { method, headers, ...(body === null ? {} : { body }) } };
}

function urlOf(asked: Asked, credential: HttpCredential): URL {
  const { host, port } = credential;
  const shown = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const url = URL.parse(
    asked.url,
    asked.url.startsWith('/') ? `https://${shown}${port === undefined ? '' : `:${port}`}` : undefined,
  );
  if (url === null)
    throw invalid(
      `"url" must be a whole URL or a path that begins with "/", got ${JSON.stringify(asked.url.slice(0, 200))}`,
    );
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw invalid(`"url" must be http or https, got ${url.protocol}`);
  for (const [name, value] of Object.entries(asked.query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined) url.searchParams.append(name, String(one));
    }
  }
  return url;
}

function headersOf(given: Readonly<Record<string, string | undefined>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    try {
      headers.append(name, value ?? '');
    } catch {
      throw invalid(`the header ${JSON.stringify(name.slice(0, 100))} has characters that a header cannot have`);
    }
  }
  return headers;
}

/** What the workflow sets itself comes first. */
function authorize(headers: Headers, credential: HttpCredential): void {
  const { bearer_token, username, password, header_name, header_value } = credential;
  if (header_name !== undefined && header_value !== undefined && !headers.has(header_name))
    headers.set(header_name, header_value);
  if (headers.has('authorization')) return;
  if (bearer_token !== undefined) headers.set('authorization', `Bearer ${bearer_token}`);
  else if (username !== undefined || password !== undefined)
    headers.set('authorization', `Basic ${base64Text(`${username ?? ''}:${password ?? ''}`)}`);
}

function bodyOf(asked: Asked, headers: Headers): string | Uint8Array | null {
  const given = (['json', 'text', 'base64'] as const).filter((name) => asked[name] !== undefined);
  if (given.length > 1)
    throw invalid(`a request has one body: give one of ${given.map((name) => `"${name}"`).join(', ')}`);
  if (asked.json !== undefined) return typed(JSON.stringify(asked.json), 'application/json', headers);
  if (asked.text !== undefined) return typed(asked.text, 'text/plain;charset=UTF-8', headers);
  if (asked.base64 !== undefined) return typed(fromBase64(asked.base64), 'application/octet-stream', headers);
  return null;
}

function typed<Body extends string | Uint8Array>(body: Body, type: string, headers: Headers): Body {
  if (!headers.has('content-type')) headers.set('content-type', type);
  return body;
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    throw invalid('"base64" is not base64');
  }
}

function base64Text(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function invalid(message: string): ConnectorError {
  return new ConnectorError('REQUEST_INVALID', message);
}
