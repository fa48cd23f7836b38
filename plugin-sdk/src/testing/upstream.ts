import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { showHost } from '../contract/index.ts';
import { parseAllowPrivate } from '../runtime/broker/allow-private.ts';
import { type Dialed, Dialer, type DialTarget } from '../runtime/broker/dial.ts';
import { networkError } from '../runtime/broker/errors.ts';
import type { Fence } from '../runtime/broker/fence.ts';
import { AddressGuard } from '../runtime/broker/guard.ts';

/**
 * Answers instead of the network: gets the request as the service would, with the real secrets in it, and gives the answer.
 * `Response.error()` drops the connection; a promise that never resolves keeps the connector waiting.
 */
export type Upstream = (request: Request) => Response | Promise<Response>;

/** A server on this machine that stands in for every host that the connector may reach. */
export interface UpstreamServer {
  /** For the broker: each connection goes to the server, whatever host was asked for. */
  readonly dialer: Dialer;
  /** What the handler threw, which is the test's own mistake (or its failed `expect`); `null` when it threw nothing. */
  thrown(): { readonly error: unknown } | null;
  close(): Promise<void>;
}

/** Starts the server; everything before it (permissions, placeholders, redirects, limits) is the production broker. */
export async function startUpstream(handler: Upstream): Promise<UpstreamServer> {
  const origins = new Map<number, string>();
  let thrown: { readonly error: unknown } | null = null;
  const server = createServer((incoming, outgoing) => {
    const origin = origins.get(incoming.socket.remotePort ?? 0) ?? `http://${incoming.headers.host}`;
    answer(handler, origin, incoming, outgoing).catch((error: unknown) => {
      thrown ??= { error };
      outgoing.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    dialer: new UpstreamDialer(port, origins),
    thrown: () => thrown,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class UpstreamDialer extends Dialer {
  readonly #port: number;
  readonly #origins: Map<number, string>;

  constructor(port: number, origins: Map<number, string>) {
    super(new AddressGuard(parseAllowPrivate('')), []);
    this.#port = port;
    this.#origins = origins;
  }

  override async dial(target: DialTarget, fence: Fence): Promise<Dialed> {
    fence.check();
    if (target.alpn === undefined)
      throw networkError('the fake upstream answers requests of ctx.fetch, not ctx.connect', {
        host: target.host.host,
      });
    const socket = connect(this.#port, '127.0.0.1');
    const forget = fence.onClose(() => socket.destroy());
    await once(socket, 'connect');
    forget();
    this.#origins.set(socket.localPort ?? 0, originOf(target));
    socket.once('close', () => this.#origins.delete(socket.localPort ?? 0));
    return { socket, address: '127.0.0.1' };
  }

  override async upgrade(_socket: Socket): Promise<never> {
    throw networkError('the fake upstream speaks no STARTTLS', { cause: 'EPROTO' });
  }
}

function originOf({ secure, host, port }: DialTarget): string {
  const usual = port === (secure ? 443 : 80);
  return `${secure ? 'https' : 'http'}://${showHost(host.host)}${usual ? '' : `:${port}`}`;
}

async function answer(
  handler: Upstream,
  origin: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers = new Headers();
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2)
    headers.append(incoming.rawHeaders[at] as string, incoming.rawHeaders[at + 1] as string);
  const { method = 'GET', url = '/' } = incoming;
  const response = await handler(
    new Request(origin + url, {
      method,
      headers,
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    }),
  );
  if (!(response instanceof Response)) throw new TypeError('the upstream of a test has to return a Response');
  if (response.type === 'error') outgoing.destroy();
  else await send(response, outgoing);
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.statusCode = response.status;
  outgoing.statusMessage = response.statusText;
  for (const [name, value] of response.headers) if (name !== 'set-cookie') outgoing.setHeader(name, value);
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies);
  try {
    for await (const chunk of response.body ?? [])
      await new Promise<void>((resolve) => outgoing.write(chunk, () => resolve()));
    outgoing.end();
  } catch {
    // A body that fails is one that breaks off on its way.
    outgoing.destroy();
  }
}
