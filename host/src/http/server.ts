import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../core/log.ts';
import type { HttpApp } from './app.ts';
import { answerClientError } from './client-error.ts';
import { inTurn } from './in-turn.ts';

export interface ServerOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly app: HttpApp;
  readonly log: Logger;
  readonly limits?: Partial<ServerLimits>;
}

/** Times in milliseconds. */
export interface ServerLimits {
  /** From the connection, or the end of the request before, to the end of the headers. Default 10 s. */
  readonly headersMs: number;
  /** To the end of the body. Default 60 s. */
  readonly requestMs: number;
  /** How long a connection without a request stays open. Default 65 s: longer than the usual 60 s of proxies, so that they close first. */
  readonly keepAliveMs: number;
  /** How often the times above are looked at. Default 1 s. */
  readonly checkMs: number;
  /** Connections at once; more are closed at once. Default 10,000. */
  readonly connections: number;
}

const LIMITS: ServerLimits = {
  headersMs: 10_000,
  requestMs: 60_000,
  keepAliveMs: 65_000,
  checkMs: 1000,
  connections: 10_000,
};
const MAX_HEADER_BYTES = 16 * 1024;

export interface RunningServer {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly server: Server;
  /** Accepts nothing more, lets requests in flight finish for at most `drainMs`, then closes what is left. Can be called again to hurry. */
  close(drainMs: number): Promise<void>;
}

/** Listens; rejects with a message for the operator when the address cannot be had. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const limits = { ...LIMITS, ...options.limits };
  const listener = inTurn(options.app.callback());
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: limits.checkMs,
      noDelay: true,
      // Checked by the app, whose answer is a problem document.
      requireHostHeader: false,
    },
    listener,
  );
  server.maxConnections = limits.connections;
  // Their size is limited; a limit on their number would drop the rest without a word, an `Origin` perhaps.
  server.maxHeadersCount = 0;
  // `Expect: 100-continue` is answered when the body is wanted, not before the key has been looked at; other expectations are ignored.
  server.on('checkContinue', listener).on('checkExpectation', listener);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => answerClientError(error, socket, options.log));
  await listen(server, options.host, options.port);
  return { url: urlOf(options.host, server), server, close: (drainMs) => close(server, options.app, drainMs) };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(`cannot listen on ${host}:${port}: ${reasonOf(error)}`, { cause: error })),
    );
    server.listen({ host, port, backlog: 1024 }, resolve);
  });
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; stop the other program or set GOFLOW_PORT (0: any free port)',
  EADDRNOTAVAIL: 'this machine does not have that address; set GOFLOW_HOST',
  ENOTFOUND: 'there is no such name; set GOFLOW_HOST to an address of this machine',
  EACCES: 'this user may not listen on that port; set GOFLOW_PORT to one above 1023',
};

function reasonOf(error: NodeJS.ErrnoException): string {
  return REASONS[error.code ?? ''] ?? error.message;
}

function urlOf(host: string, server: Server): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function close(server: Server, app: HttpApp, drainMs: number): Promise<void> {
  app.drain();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that becomes idle while the server closes is closed by nobody else.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const end = setTimeout(() => server.closeAllConnections(), drainMs);
  try {
    await closed;
  } finally {
    clearInterval(sweep);
    clearTimeout(end);
  }
}
