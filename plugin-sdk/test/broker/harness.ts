import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { onTestFinished } from 'vitest';
import {
  type Broker,
  type BrokerOptions,
  type BrokerSession,
  createBroker,
  type EgressRecord,
  parseAllowPrivate,
  type SessionOptions,
} from '../../src/runtime/broker/broker.ts';
import type {
  BrokerAnswers,
  BrokerCall,
  BrokerOp,
  FetchHead,
  FetchRequest,
} from '../../src/runtime/protocol/broker.ts';
import type { ErrorData } from '../../src/contract/index.ts';

export const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
export const CERT = readFileSync(new URL('./fixtures/cert.pem', import.meta.url), 'utf8');
export const KEY = readFileSync(new URL('./fixtures/key.pem', import.meta.url), 'utf8');

export interface TestServer {
  readonly port: number;
  /** Sockets that are open now, and how many there were. */
  readonly open: Set<Socket>;
  readonly counts: { connections: number };
}

/** Starts a server on loopback that is closed, with its connections, when the test ends. */
export async function listening(server: TcpServer | Server): Promise<TestServer> {
  const open = new Set<Socket>();
  const counts = { connections: 0 };
  server.on('connection', (socket: Socket) => {
    counts.connections++;
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, open, counts };
}

export async function httpServer(
  handler: (request: IncomingMessage & { bytes: Buffer; text: string }, response: ServerResponse) => void,
): Promise<TestServer> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => handler(withBody(request, Buffer.concat(chunks)), response));
  });
  return await listening(server);
}

function withBody(request: IncomingMessage, bytes: Buffer) {
  return Object.assign(request, { bytes, text: bytes.toString('utf8') });
}

/** `handler` may pause the socket; else what arrives is read, so that the end of the connection is seen. */
export async function tcpServer(
  handler: (socket: Socket) => void,
  options: { allowHalfOpen?: boolean } = {},
): Promise<TestServer> {
  return await listening(
    createTcpServer(options, (socket) => {
      socket.resume();
      handler(socket);
    }),
  );
}

export interface TestBroker {
  readonly broker: Broker;
  readonly records: EgressRecord[];
  /** Names that were asked of the resolver. */
  readonly resolved: string[];
  readonly open: (options?: Partial<SessionOptions>) => BrokerSession;
}

/** A broker with an empty storage. `names` answers DNS questions; a list of lists answers one after the other. */
export function testBroker(
  options: Partial<BrokerOptions> & { allow?: string; names?: Record<string, string[] | string[][]> } = {},
): TestBroker {
  const records: EgressRecord[] = [];
  const resolved: string[] = [];
  const broker = createBroker({
    allowPrivate: parseAllowPrivate(options.allow ?? '127.0.0.0/8'),
    storage: memoryStorage(),
    ca: [CERT],
    resolve: async (host) => {
      resolved.push(host);
      const answer = options.names?.[host];
      if (answer === undefined) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
      if (!Array.isArray(answer[0])) return answer as string[];
      return (answer.length > 1 ? answer.shift() : answer[0]) as string[];
    },
    ...options,
  });
  onTestFinished(() => broker.close());
  return {
    broker,
    records,
    resolved,
    open(session = {}) {
      const opened = broker.open({
        tenantId: 'tenant-1',
        plugin: 'demo',
        granted: {},
        credential: null,
        credentialSchema: null,
        secrets: 'placeholder',
        traceparent: TRACEPARENT,
        deadline: performance.now() + 20_000,
        onEgress: (record) => records.push(record),
        ...session,
      });
      onTestFinished(() => opened.close('ended'));
      return opened;
    },
  };
}

export function memoryStorage() {
  const values = new Map<string, string>();
  const keyOf = (scope: { tenantId: string; plugin: string }, key: string) =>
    JSON.stringify([scope.tenantId, scope.plugin, key]);
  return {
    values,
    get: async (scope: { tenantId: string; plugin: string }, key: string) => values.get(keyOf(scope, key)) ?? null,
    set: async (scope: { tenantId: string; plugin: string }, key: string, json: string) =>
      void values.set(keyOf(scope, key), json),
    delete: async (scope: { tenantId: string; plugin: string }, key: string) => void values.delete(keyOf(scope, key)),
    list: async (scope: { tenantId: string; plugin: string }, prefix: string) =>
      [...values.keys()]
        .map((key) => JSON.parse(key) as [string, string, string])
        .filter(
          ([tenant, plugin, key]) => tenant === scope.tenantId && plugin === scope.plugin && key.startsWith(prefix),
        )
        .map(([, , key]) => key),
  };
}

/** The answer of a call that has to work. */
export async function ask<Op extends BrokerOp>(
  session: BrokerSession,
  call: BrokerCall & { op: Op },
): Promise<BrokerAnswers[Op]> {
  const reply = await session.handle(call);
  if (!reply.ok) throw new Error(`${reply.error.code}: ${reply.error.message}`);
  return reply.value as BrokerAnswers[Op];
}

/** The error of a call that has to fail; the call may be anything. */
export async function refused(session: BrokerSession, call: unknown): Promise<ErrorData> {
  const reply = await session.handle(call as BrokerCall);
  if (reply.ok) throw new Error(`was answered: ${JSON.stringify(reply.value)}`);
  return reply.error;
}

export function fetchCall(
  url: string,
  request: Partial<Omit<FetchRequest, 'body'>> & { body?: string | Uint8Array } = {},
): BrokerCall & { op: 'fetch' } {
  const { body, ...rest } = request;
  return {
    op: 'fetch',
    request: {
      url,
      method: 'GET',
      headers: [],
      redirect: 'follow',
      ...rest,
      body: body === undefined ? null : typeof body === 'string' ? new TextEncoder().encode(body) : body,
    },
  };
}

/** The whole body of an answer as text. */
export async function bodyText(session: BrokerSession, head: FetchHead): Promise<string> {
  return Buffer.from(await bodyBytes(session, head)).toString('utf8');
}

export async function bodyBytes(session: BrokerSession, head: FetchHead): Promise<Uint8Array> {
  if (head.bytes !== null) return head.bytes;
  const chunks: Uint8Array[] = [];
  if (head.body !== null)
    for (;;) {
      const chunk = await ask(session, { op: 'body.read', body: head.body });
      if (chunk === null) break;
      chunks.push(chunk);
    }
  return Buffer.concat(chunks);
}

export function header(head: FetchHead, name: string): string | undefined {
  return head.headers.find(([key]) => key === name)?.[1];
}

/** Waits until a condition holds; fails by the test's own time limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
