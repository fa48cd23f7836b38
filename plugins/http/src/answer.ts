import { ConnectorError, type Infer, type JsonValue } from '@goflow/plugin-sdk';
import type { output } from './schema.ts';

/** Largest body that is read: as a result it has to fit into 5 MB of JSON. */
const MAX_BODY_BYTES = 4.5 * 1024 * 1024;

/** The answer as data. */
export async function readAnswer(response: Response): Promise<Infer<typeof output>> {
  const bytes = await readBytes(response);
  return { status: response.status, headers: headersOf(response), body: bodyOf(bytes, response) };
}

function headersOf(response: Response): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  response.headers.forEach((value, name) => {
    headers[name] = name === 'set-cookie' ? response.headers.getSetCookie() : value;
  });
  return headers;
}

function bodyOf(bytes: Uint8Array, response: Response): JsonValue {
  if (bytes.length === 0) return null;
  const type = (response.headers.get('content-type') ?? '').toLowerCase();
  const essence = (type.split(';')[0] ?? '').trim();
  if (essence === 'application/json' || essence.endsWith('+json')) return jsonOf(bytes, response);
  const charset = /charset="?([^";\s]+)/.exec(type)?.[1];
  const isText =
    essence === '' ||
    charset !== undefined ||
    essence.startsWith('text/') ||
    TEXT_TYPES.has(essence) ||
    essence.endsWith('+xml');
  const text = isText ? decode(bytes, charset ?? 'utf-8') : null;
  return text ?? { base64: base64(bytes) };
}

const TEXT_TYPES = new Set([
  'application/xml',
  'application/javascript',
  'application/x-www-form-urlencoded',
  'application/yaml',
  'application/x-ndjson',
]);

function jsonOf(bytes: Uint8Array, response: Response): JsonValue {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as JsonValue;
  } catch {
    const start = new TextDecoder().decode(bytes.subarray(0, 300));
    throw new ConnectorError(
      'ANSWER_INVALID',
      `the answer (status ${response.status}) says that it is JSON, but it is not: ${JSON.stringify(start)}`,
      {
        retryable: response.status >= 500,
        details: { status: response.status },
      },
    );
  }
}

/** Null when it is no such text: then the bytes are given. */
function decode(bytes: Uint8Array, charset: string): string | null {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

async function readBytes(response: Response): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw new ConnectorError('ANSWER_TOO_LARGE', `the answer has more than ${MAX_BODY_BYTES / 1024 / 1024} MB`);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 8190) binary += String.fromCharCode(...bytes.subarray(at, at + 8190));
  return btoa(binary);
}
