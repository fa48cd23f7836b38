import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach } from 'vitest';
import type { Auth } from '../../src/auth/auth.ts';
import { createGuesses } from '../../src/auth/guesses.ts';
import { OPEN_PRINCIPAL } from '../../src/auth/principal.ts';
import type { Principal } from '../../src/auth/principal.ts';
import { GoflowError } from '../../src/core/errors.ts';
import { createLogging } from '../../src/core/log.ts';
import type { Role, RunRecord, WorkflowRecord } from '../../src/core/records.ts';
import { ROLES } from '../../src/core/records.ts';
import { createHttpApp } from '../../src/http/app.ts';
import { startServer } from '../../src/http/server.ts';
import type { RunningServer, ServerLimits } from '../../src/http/server.ts';
import type { HttpServices } from '../../src/http/services.ts';
import { timelineOf } from '../../src/run/timeline.ts';
import type { TriggerRequest } from '../../src/run/types.ts';

/** A host's HTTP room over real sockets, with everything behind it replaced by a few lines that remember what they were asked. */

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; throws when it is none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers freely
  readonly json: any;
}

export interface TestHost {
  readonly url: string;
  readonly port: number;
  readonly server: RunningServer;
  readonly logs: Record<string, unknown>[];
  readonly triggers: TriggerRequest[];
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
  /** Writes bytes to a new connection and reads until it ends. */
  raw(bytes: string | Buffer): Promise<string>;
  socket(): Promise<Socket>;
}

export interface SendOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** Sends `body` as JSON. */
  readonly json?: unknown;
}

const open: TestHost[] = [];

afterEach(async () => {
  for (const host of open.splice(0)) await host.server.close(0);
});

export const RUN: RunRecord = {
  id: 'run_1',
  workflow_id: 'wf_1',
  workflow_version: 1,
  status: 'succeeded',
  trigger: { type: 'api' },
  parameters: {},
  output: { fine: true },
  error: null,
  steps: [],
  trace_id: 'a'.repeat(32),
  tenant_id: 'default',
  user_id: 'dev',
  created_at: '2026-01-31T12:00:00.000Z',
  started_at: null,
  finished_at: null,
  duration_ms: null,
  attempt: 1,
  ended_by: null,
  ending: null,
};

export const WORKFLOW: WorkflowRecord = {
  id: 'wf_1',
  tenant_id: 'default',
  version: 3,
  name: 'Send Welcome Email',
  is_active: true,
  definition: {
    parameters: [
      { name: 'customer_name', type: 'string', required: true, maxLength: 80 },
      { name: 'plan', type: 'string', default: 'free', enum: ['free', 'pro'] },
      { name: 'token', type: 'string', secret: true },
    ],
  },
  created_at: '2026-01-31T12:00:00.000Z',
  updated_at: '2026-01-31T12:00:00.000Z',
};

export function notFound(): never {
  throw new GoflowError('NOT_FOUND', 'there is no such thing');
}

export interface HostOptions {
  readonly services?: Partial<HttpServices>;
  readonly limits?: Partial<ServerLimits>;
  readonly maxBody?: number;
  /** Keys are needed: `Bearer viewer` and so on. Left out: open mode. */
  readonly locked?: boolean;
}

export async function startHost(options: HostOptions = {}): Promise<TestHost> {
  const logs: Record<string, unknown>[] = [];
  const triggers: TriggerRequest[] = [];
  const log = createLogging({
    level: 'info',
    levels: {},
    write: (line) => void logs.push(JSON.parse(line) as Record<string, unknown>),
  }).for('http');
  const app = createHttpApp({ ...fakeServices(triggers, options), log, ...options.services });
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    app,
    log,
    ...(options.limits && { limits: options.limits }),
  });
  const port = Number(new URL(server.url).port);
  const host: TestHost = {
    url: server.url,
    port,
    server,
    logs,
    triggers,
    send: (method, path, sent) => send(port, method, path, sent),
    raw: (bytes) => raw(port, bytes),
    socket: () => newSocket(port),
  };
  open.push(host);
  return host;
}

function fakeServices(triggers: TriggerRequest[], options: HostOptions): Omit<HttpServices, 'log'> {
  const page = { items: [], next_cursor: null };
  const workflow = async (id: string) => (id === WORKFLOW.id ? WORKFLOW : notFound());
  const run = async (id: string) => (id === RUN.id ? RUN : notFound());
  return {
    workflows: {
      create: async () => WORKFLOW,
      get: (_ctx, id) => workflow(id),
      list: async () => ({ items: [WORKFLOW], next_cursor: null }),
      put: async (_ctx, id) => ({ workflow: { ...WORKFLOW, id }, created: id !== WORKFLOW.id }),
      patch: (_ctx, id) => workflow(id),
      toggle: async (_ctx, id) => ({ ...(await workflow(id)), is_active: false }),
      delete: async (_ctx, id) => void (await workflow(id)),
      draft: async () => WORKFLOW,
      findWebhook: (_ctx, id) => workflow(id).catch(() => null),
      webhookKey: async () => null,
      view: ({ id, version, name, is_active, definition }) => ({ ...definition, id, version, name, is_active }),
    },
    runs: {
      trigger: async (_ctx, _workflow, request) => {
        triggers.push(request);
        const ended = request.waitMs > 0;
        return { run: ended ? RUN : { ...RUN, status: 'queued' }, ended, replayed: request.idempotencyKey === 'again' };
      },
      get: (_ctx, id) => run(id),
      list: async () => page,
      cancel: (_ctx, id) => run(id),
      replay: async (_ctx, id) => ({ ...(await run(id)), id: 'run_2' }),
      logs: async () => [],
      timeline: async (_ctx, id) => timelineOf(await run(id), 300_000),
      async *events() {},
      dryRun: async (_ctx, workflow, parameters) => ({ workflow: workflow.id, parameters }),
    },
    plugins: {
      list: () => [],
      view: () => null,
      actions: () => [],
      install: async () => notFound(),
      remove: async () => notFound(),
      grant: async () => notFound(),
      setEnabled: async () => notFound(),
      rollback: async () => notFound(),
    } as unknown as HttpServices['plugins'],
    credentials: {
      create: async () => notFound(),
      list: async () => page,
      delete: async () => notFound(),
      view: ({ id, name }) => ({ id, name }),
    },
    auth: options.locked === true ? lockedAuth() : openAuth(),
    store: {
      ping: async () => {},
      audit: { append: async () => {}, list: async () => page },
    } as unknown as HttpServices['store'],
    config: { maxBody: options.maxBody ?? 1024 * 1024 },
    health: { live: () => ({ process: { ok: true } }), ready: () => ({ engine: { ok: true } }) },
  };
}

const keys: Auth['keys'] = {
  create: async () => notFound(),
  list: async () => ({ items: [], next_cursor: null }),
  delete: async () => notFound(),
};

function openAuth(): Auth {
  return { authenticate: () => OPEN_PRINCIPAL, mode: async () => 'open', keys, guesses: createGuesses() };
}

function lockedAuth(): Auth {
  return {
    authenticate: (_ctx, authorization): Principal => {
      const role = authorization?.replace('Bearer ', '') as Role;
      if (!ROLES.includes(role)) throw new GoflowError('UNAUTHENTICATED', 'no key');
      return { keyId: `key_${role}`, tenantId: 'acme', userId: `${role}@acme`, role, hostWide: false };
    },
    mode: async () => 'keys',
    keys,
    guesses: createGuesses(),
  };
}

function send(port: number, method: string, path: string, options: SendOptions = {}): Promise<Answer> {
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);
  const headers = options.json === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const req = httpRequest(
      { port, method, path, headers: { ...headers, ...options.headers }, agent: false },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('error', reject);
        res.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            text,
            get json() {
              return JSON.parse(text) as unknown;
            },
          });
        });
      },
    );
    req.on('error', reject);
    req.end(body);
  });
}

async function newSocket(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

async function raw(port: number, bytes: string | Buffer): Promise<string> {
  const socket = await newSocket(port);
  socket.write(bytes);
  return readToEnd(socket);
}

export function readToEnd(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  return new Promise((resolve) => {
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

/** Waits until a condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
