import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ErrorData } from '../contract/index.ts';
import { writeAtomically } from '../build/write-atomically.ts';
import type { BrokerCall, FetchHead } from '../runtime/protocol/broker.ts';
import type { BrokerReply } from '../runtime/protocol/engine.ts';
import type { Tap, TapView } from './tap.ts';

const FORMAT = 'goflow-exchanges/1';

/** What a connector asked and what came back, without secrets. */
export interface Exchange {
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: ReadonlyArray<readonly [string, string]>;
    readonly body: Body;
  };
  readonly response?: {
    readonly status: number;
    readonly statusText: string;
    readonly url: string;
    readonly redirected: boolean;
    readonly headers: ReadonlyArray<readonly [string, string]>;
    readonly body: Body;
  };
  /** Instead of an answer: why there was none. */
  readonly error?: ErrorData;
}

/** Text where it is UTF-8, else base64; `null`: none. */
export type Body = { readonly text: string } | { readonly base64: string } | null;

export interface Recording {
  readonly tap: Tap;
  /** Exchanges that were read from the file and not asked for; empty while recording. */
  unused(): readonly Exchange[];
  /** Writes the file, when something was recorded. */
  save(): Promise<void>;
}

/**
 * Replays the exchanges of a file; a file that is not there is recorded from the real service. `GOFLOW_RECORD=1` records anew.
 */
export async function openRecording(file: string | URL): Promise<Recording> {
  const name = file instanceof URL ? fileURLToPath(file) : file;
  if (!existsSync(name) || process.env['GOFLOW_RECORD'] === '1') return recordTo(name);
  const content = JSON.parse(await readFile(name, 'utf8')) as { format?: unknown; exchanges?: unknown };
  if (content.format !== FORMAT || !Array.isArray(content.exchanges)) throw new TypeError(`${name} holds no exchanges`);
  return replayOf(content.exchanges as readonly Exchange[]);
}

/** Answers from exchanges: each one once, the first that fits in method, address and body. */
export function replayOf(exchanges: readonly Exchange[]): Recording {
  const left = [...exchanges];
  const tap: Tap = async (call, next, view) => {
    if (call.op !== 'fetch') return call.op === 'connect' ? notRecorded('a connection of ctx.connect') : next(call);
    const asked = requestOf(call, view);
    const index = left.findIndex(({ request }) => sameRequest(request, asked));
    if (index < 0) return notRecorded(`${asked.method} ${asked.url}`, left[0]);
    const [found] = left.splice(index, 1);
    return found?.response === undefined
      ? { ok: false, error: found?.error ?? failure('the recording holds no answer') }
      : { ok: true, value: { ...found.response, bytes: toBytes(found.response.body), body: null } };
  };
  return { tap, unused: () => left, save: async () => {} };
}

function recordTo(file: string): Recording {
  const exchanges: Exchange[] = [];
  const tap: Tap = async (call, next, view) => {
    if (call.op !== 'fetch') return next(call);
    const request = requestOf(call, view);
    const reply = await next(call);
    if (!reply.ok) {
      exchanges.push({ request, error: reply.error });
      return reply;
    }
    const head = reply.value as FetchHead;
    const { bytes, failed } = await wholeBody(head, next);
    if (failed !== null) {
      exchanges.push({ request, error: failed });
      return { ok: false, error: failed };
    }
    const { status, statusText, url, redirected } = head;
    const headers = visible(head.headers, view);
    const body = bytes === null ? null : fromBytes(bytes, view);
    exchanges.push({ request, response: { status, statusText, url: view.redact(url), redirected, headers, body } });
    return { ok: true, value: { ...head, bytes, body: null } };
  };
  const save = async (): Promise<void> => {
    if (exchanges.length > 0)
      await writeAtomically(file, `${JSON.stringify({ format: FORMAT, exchanges }, null, 2)}\n`);
  };
  return { tap, unused: () => [], save };
}

/** The body to its end, so that it can be written down and given on at once. */
async function wholeBody(
  head: FetchHead,
  next: (call: BrokerCall) => Promise<BrokerReply>,
): Promise<{ readonly bytes: Uint8Array | null; readonly failed: ErrorData | null }> {
  if (head.body === null) return { bytes: head.bytes, failed: null };
  const chunks: Uint8Array[] = head.bytes === null ? [] : [head.bytes];
  for (;;) {
    const reply = await next({ op: 'body.read', body: head.body });
    if (!reply.ok) return { bytes: null, failed: reply.error };
    if (reply.value === null) return { bytes: new Uint8Array(Buffer.concat(chunks)), failed: null };
    chunks.push(reply.value as Uint8Array);
  }
}

function requestOf({ request }: BrokerCall & { op: 'fetch' }, view: TapView): Exchange['request'] {
  return {
    method: request.method.toUpperCase(),
    url: view.redact(request.url),
    headers: visible(request.headers, view),
    body: request.body === null ? null : fromBytes(request.body, view),
  };
}

/** Headers whose values are secrets, however they were made. */
const SECRET_HEADER = /^(?:authorization|proxy-authorization|cookie|set-cookie)$|token|secret|api-?key|signature/i;

function visible(headers: ReadonlyArray<readonly [string, string]>, view: TapView): Array<readonly [string, string]> {
  return headers.map(([name, value]) => [name, SECRET_HEADER.test(name) ? '***' : view.redact(value)] as const);
}

/** Bodies are compared as JSON where they are: the order of keys is no difference. */
function sameRequest(recorded: Exchange['request'], asked: Exchange['request']): boolean {
  if (recorded.method !== asked.method || recorded.url !== asked.url) return false;
  return comparable(recorded.body) === comparable(asked.body);
}

function comparable(body: Body): string {
  if (body === null) return '';
  if (!('text' in body)) return body.base64;
  try {
    return JSON.stringify(sorted(JSON.parse(body.text)));
  } catch {
    return body.text;
  }
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, sorted(member)]));
}

function fromBytes(bytes: Uint8Array, view: TapView): Body {
  try {
    return { text: view.redact(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}

function toBytes(body: Body): Uint8Array | null {
  if (body === null) return null;
  return new Uint8Array('text' in body ? Buffer.from(body.text, 'utf8') : Buffer.from(body.base64, 'base64'));
}

function notRecorded(what: string, next?: Exchange): BrokerReply {
  const hint = next === undefined ? 'none is left' : `the next one is ${next.request.method} ${next.request.url}`;
  return {
    ok: false,
    error: failure(`the recording holds no (further) answer to ${what}; ${hint}. Record anew with GOFLOW_RECORD=1`),
  };
}

function failure(message: string): ErrorData {
  return { code: 'NOT_RECORDED', message, retryable: false };
}
