import type { Arguments } from './command.ts';
import { Failure, usage } from './failure.ts';

export interface HostAddress {
  readonly url: string;
  /** API key; none: the host runs open. */
  readonly key?: string | undefined;
  /** Tenant to act in, for the bootstrap key. */
  readonly tenant?: string | undefined;
}

/** What a host answered. */
export interface HostAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A running host, as `dev` and `publish` use it. */
export interface HostClient {
  readonly url: string;
  /** Fails with what the host said, unless its answer is a success or one of `expected`. */
  request(method: string, path: string, body?: string, expected?: readonly number[]): Promise<HostAnswer>;
  /** Server-Sent Events; ends when the stream or the signal does. */
  events(
    path: string,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly type: string; readonly data: Record<string, unknown> }>;
}

const TIMEOUT_MS = 60_000;

/** The flags of a command that speaks to a host. */
export const HOST_OPTIONS = [
  { flags: '--host <URL>', description: 'where the host is (default: GOFLOW_URL)' },
  { flags: '--key <KEY>', description: 'API key of an admin (default: GOFLOW_KEY)' },
  { flags: '--tenant <ID>', description: 'tenant to act in, for the bootstrap key (default: GOFLOW_TENANT)' },
] as const;

export function hostAddress(args: Pick<Arguments, 'optional'>): HostAddress | null {
  const url = args.optional('host') ?? process.env['GOFLOW_URL'];
  if (url === undefined || url === '') return null;
  return {
    url,
    key: args.optional('key') ?? process.env['GOFLOW_KEY'],
    tenant: args.optional('tenant') ?? process.env['GOFLOW_TENANT'],
  };
}

export function connectHost(address: HostAddress): HostClient {
  if (!URL.canParse(address.url))
    throw usage(`--host: ${JSON.stringify(address.url)} is not a URL; example: http://127.0.0.1:8080`);
  const base = new URL(address.url);
  const headers: Record<string, string> = {
    ...(address.key !== undefined && { authorization: `Bearer ${address.key}` }),
    ...(address.tenant !== undefined && { 'x-tenant-id': address.tenant }),
  };

  async function send(
    method: string,
    path: string,
    init: { readonly body?: string; readonly headers?: Record<string, string>; readonly signal: AbortSignal },
  ): Promise<Response> {
    try {
      return await fetch(new URL(path, base), { ...init, method, headers: { ...headers, ...init.headers } });
    } catch (error) {
      const { cause, message } = error as Error;
      throw new Failure(
        `no answer from ${base.origin}: ${cause instanceof Error ? cause.message : message}. Is the host running there?`,
      );
    }
  }

  return {
    url: base.origin,
    async request(method, path, body, expected = []) {
      const response = await send(method, path, {
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
      });
      const text = await response.text();
      const answer = parseObject(text);
      if (response.ok || expected.includes(response.status)) return { status: response.status, body: answer };
      throw new Failure(`${base.origin}: ${problemText(response.status, answer)}`);
    },
    async *events(path, signal) {
      const response = await send('GET', path, { headers: { accept: 'text/event-stream' }, signal });
      const decoder = new TextDecoder();
      let buffer = '';
      for await (const chunk of response.body ?? []) {
        buffer += decoder.decode(chunk, { stream: true });
        for (let end = buffer.indexOf('\n\n'); end !== -1; end = buffer.indexOf('\n\n')) {
          const block = buffer.slice(0, end);
          buffer = buffer.slice(end + 2);
          const data = /^data: ?(.*)$/m.exec(block)?.[1];
          if (data !== undefined)
            yield { type: /^event: ?(.*)$/m.exec(block)?.[1] ?? 'message', data: parseObject(data) };
        }
      }
    },
  };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function problemText(status: number, problem: Record<string, unknown>): string {
  const { code, detail, title } = problem;
  const said = [detail, title].find((text) => typeof text === 'string') ?? 'no reason was given';
  return `${typeof code === 'string' ? code : status}: ${said}`;
}
