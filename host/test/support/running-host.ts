import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../src/core/config.ts';
import { createLogging } from '../../src/core/log.ts';
import { createHost, type Host, type HostOptions } from '../../src/host.ts';

/** A whole host in this process: real store, real engine, the first-party plugins, a free port. */

export const ROOT = path.dirname(path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url)))));

// oxlint-disable-next-line typescript/no-explicit-any -- tests read answers freely; a wrong shape fails an assertion.
export type Json = any;

export interface RunningHost {
  readonly host: Host;
  readonly dataDir: string;
  readonly lines: ReadonlyArray<Record<string, Json>>;
  request(
    method: string,
    target: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ readonly status: number; readonly headers: Headers; readonly body: Json }>;
  /** Ends the host; its data stay for the next one. */
  stop(drainMs?: number): Promise<void>;
}

export interface StartOptions {
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly options?: HostOptions;
}

const undo: (() => Promise<void>)[] = [];

/** Ends everything that these helpers started: for `afterEach` or `afterAll`. */
export async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0).toReversed()) await step();
}

export async function tempDir(): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'goflow-host-'));
  undo.push(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export async function startHost(options: StartOptions = {}): Promise<RunningHost> {
  const dataDir = options.dataDir ?? (await tempDir());
  const config = readConfig({
    GOFLOW_PORT: '0',
    GOFLOW_DATA_DIR: dataDir,
    GOFLOW_PLUGINS_DIR: path.join(ROOT, 'plugins'),
    ...options.env,
  });
  const lines: Record<string, Json>[] = [];
  const logging = createLogging({
    level: config.logLevel,
    levels: config.logLevels,
    write: (line) => void lines.push(JSON.parse(line) as Record<string, Json>),
  });
  const host = await createHost(config, logging, options.options ?? {});
  let stopped: Promise<void> | null = null;
  const stop = (drainMs = 1000): Promise<void> => (stopped ??= host.close(drainMs));
  undo.push(() => stop(0));
  return {
    host,
    dataDir,
    lines,
    async request(method, target, body, headers = {}) {
      const response = await fetch(host.url + target, {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = (response.headers.get('content-type') ?? '').includes('json');
      return { status: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as Json) : text };
    },
    stop,
  };
}

export interface Upstream {
  readonly port: number;
  readonly seen: ReadonlyArray<{ readonly url: string; readonly headers: IncomingHttpHeaders; readonly body: string }>;
}

/** An HTTP server on loopback that remembers what it was asked. */
export async function startUpstream(answer: RequestListener): Promise<Upstream> {
  const seen: Array<{ url: string; headers: IncomingHttpHeaders; body: string }> = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      seen.push({ url: req.url ?? '', headers: req.headers, body: Buffer.concat(chunks).toString() });
      answer(req, res);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  undo.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { port: (server.address() as AddressInfo).port, seen };
}

/** Stores a workflow; answers its id. */
export async function addWorkflow(host: RunningHost, body: object): Promise<string> {
  const answer = await host.request('POST', '/api/workflows', body);
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body.id as string;
}

/** A workflow that asks an upstream through the plugin `http`. */
export async function addHttpWorkflow(host: RunningHost, port: number, more: object = {}): Promise<string> {
  const made = await host.request('POST', '/api/credentials', {
    name: `loopback-${port}`,
    plugin: 'http',
    values: { host: '127.0.0.1', port },
  });
  if (made.status !== 201 && made.status !== 409) throw new Error(JSON.stringify(made.body));
  return addWorkflow(host, {
    name: 'Ask upstream',
    parameters: [{ name: 'path', type: 'string', default: '/' }],
    action: 'http_request',
    config: { url: `http://127.0.0.1:${port}{{params.path}}` },
    credential: `loopback-${port}`,
    ...more,
  });
}

/** Asks until the answer fits; rejects with the last one when that takes too long. */
export async function until<T>(ask: () => T | Promise<T>, fits: (value: T) => boolean, timeoutMs = 20_000): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (fits(value)) return value;
    if (performance.now() > end)
      throw new Error(`not in ${timeoutMs} ms; the last: ${JSON.stringify(value)?.slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
