import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import { CommandFailure } from './failure.ts';
import { text } from './output.ts';

/** Longest wait for the head of an answer that is not asked to wait, in milliseconds. */
const TIMEOUT_MS = 30_000;

export interface ClientOptions {
  readonly url: string;
  readonly key: string | undefined;
  readonly tenant: string | undefined;
}

export interface RequestOptions {
  readonly method?: string;
  readonly body?: JsonValue | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** The REST API as commands use it. Every failure is a CommandFailure that says what the host said. */
export interface Client {
  request(path: string, options?: RequestOptions): Promise<JsonValue>;
  /** All items of a list, page by page. */
  list(path: string, limit: number): Promise<readonly JsonObject[]>;
  /** The body of the answer to a POST, as it comes. */
  download(path: string): Promise<ReadableStream<Uint8Array>>;
  /** Server-Sent Events, as `{ event, data }`. */
  events(path: string): AsyncGenerator<{ readonly event: string; readonly data: JsonValue }>;
}

export function createClient(options: ClientOptions): Client {
  let base: URL;
  try {
    base = new URL(options.url);
  } catch {
    throw new CommandFailure(`--url: ${JSON.stringify(options.url)} is not a URL; example: http://127.0.0.1:8080`, 2);
  }
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.key !== undefined) headers['authorization'] = `Bearer ${options.key}`;
  if (options.tenant !== undefined) headers['x-tenant-id'] = options.tenant;

  async function send(path: string, init: RequestOptions, signal: AbortSignal): Promise<Response> {
    const { body } = init;
    let response: Response;
    try {
      response = await fetch(new URL(path, base), {
        method: init.method ?? 'GET',
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...init.headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        signal,
      });
    } catch (error) {
      const cause =
        error instanceof Error && error.cause instanceof Error ? error.cause.message : (error as Error).message;
      throw new CommandFailure(
        `no answer from ${base.origin}: ${cause}. Is the host running there? See --url and GOFLOW_URL.`,
      );
    }
    if (!response.ok) throw new CommandFailure(await problemText(response));
    return response;
  }

  async function request(path: string, init: RequestOptions = {}): Promise<JsonValue> {
    const response = await send(path, init, AbortSignal.timeout(init.timeoutMs ?? TIMEOUT_MS));
    const text = await response.text();
    return text === '' ? null : (JSON.parse(text) as JsonValue);
  }

  return {
    request,
    async list(path, limit) {
      const items: JsonObject[] = [];
      let cursor: string | null = null;
      do {
        const page = new URL(path, base);
        page.searchParams.set('limit', String(Math.min(200, limit - items.length)));
        if (cursor !== null) page.searchParams.set('cursor', cursor);
        const answer = (await request(page.pathname + page.search)) as JsonObject;
        items.push(...(answer['items'] as readonly JsonObject[]));
        cursor = answer['next_cursor'] as string | null;
      } while (cursor !== null && items.length < limit);
      return items;
    },
    async download(path) {
      const response = await send(path, { method: 'POST', headers: { accept: '*/*' } }, new AbortController().signal);
      return response.body as ReadableStream<Uint8Array>;
    },
    async *events(path) {
      const response = await send(path, { headers: { accept: 'text/event-stream' } }, new AbortController().signal);
      let buffer = '';
      const decoder = new TextDecoder();
      for await (const chunk of response.body as ReadableStream<Uint8Array>) {
        buffer += decoder.decode(chunk, { stream: true });
        for (let end = buffer.indexOf('\n\n'); end !== -1; end = buffer.indexOf('\n\n')) {
          const block = buffer.slice(0, end);
          buffer = buffer.slice(end + 2);
          const event = /^event: ?(.*)$/m.exec(block)?.[1] ?? 'message';
          const data = [...block.matchAll(/^data: ?(.*)$/gm)].map((match) => match[1]).join('\n');
          if (data !== '') yield { event, data: JSON.parse(data) as JsonValue };
        }
      }
    },
  };
}

/** A problem (RFC 9457) as lines for people. */
async function problemText(response: Response): Promise<string> {
  const body = await response.text();
  let problem: JsonObject;
  try {
    problem = JSON.parse(body) as JsonObject;
  } catch {
    return `the host answered ${response.status} ${response.statusText}`;
  }
  const lines = [
    `${text(problem['code'] ?? response.status)}: ${text(problem['detail'] ?? problem['title'] ?? response.statusText)}`,
  ];
  const errors = problem['errors'];
  if (Array.isArray(errors))
    for (const error of errors as readonly JsonObject[])
      lines.push(`  ${text(error['pointer']) || '/'}: ${text(error['message'])}`);
  if (problem['trace_id'] !== undefined) lines.push(`  trace_id ${text(problem['trace_id'])}`);
  return lines.join('\n');
}
