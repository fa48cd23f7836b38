import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The built host, as a user runs it: a process of its own, real files, real sockets. */
export const ROOT = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
export const MAIN = path.join(ROOT, 'host/dist/main.js');

export interface LogLine {
  readonly timestamp: string;
  readonly level: string;
  readonly msg: string;
  readonly component: string;
  readonly [field: string]: unknown;
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests read answers freely; a wrong shape fails an assertion.
export type Json = any;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

export interface HostProcess {
  readonly url: string;
  readonly dataDir: string;
  readonly pluginsDir: string;
  readonly child: ChildProcess;
  readonly lines: readonly LogLine[];
  readonly stderr: () => string;
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The first line, past or to come, that fits; rejects when none comes in time. */
  line(fits: (line: LogLine) => boolean): Promise<LogLine>;
  /** Sends the signal and resolves with how the process ended. */
  stop(signal?: NodeJS.Signals): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

export interface StartOptions {
  readonly command?: 'start' | 'dev';
  readonly dataDir?: string;
  readonly pluginsDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Told at once, for tests that end a host before it is ready. */
  readonly onSpawn?: (pid: number) => void;
}

const LINE_TIMEOUT_MS = 15_000;
const running = new Set<HostProcess>();
const folders = new Set<string>();

export async function tempDir(): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'goflow-test-'));
  folders.add(dir);
  return dir;
}

/** Ends every host and removes every folder that a test made: call it in `afterAll`. */
export async function cleanUp(): Promise<void> {
  await Promise.all([...running].map((host) => host.stop('SIGKILL')));
  await Promise.all([...folders].map((dir) => rm(dir, { recursive: true, force: true })));
  folders.clear();
}

/** Starts a host on a free port and waits until it is ready. */
export async function startHost(options: StartOptions = {}): Promise<HostProcess> {
  const dataDir = options.dataDir ?? (await tempDir());
  const pluginsDir = options.pluginsDir ?? (await tempDir());
  const child = spawn(
    process.execPath,
    [MAIN, options.command ?? 'start', '--port', '0', '--data-dir', dataDir, '--plugins-dir', pluginsDir],
    {
      cwd: ROOT,
      env: { PATH: process.env['PATH'] ?? '', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  if (child.pid !== undefined) options.onSpawn?.(child.pid);
  const lines: LogLine[] = [];
  const watchers = new Set<() => void>();
  let rest = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    rest += chunk;
    const parts = rest.split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) lines.push(JSON.parse(part) as LogLine);
    for (const watcher of watchers) watcher();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => {
      resolve({ code, signal });
      for (const watcher of watchers) watcher();
    });
  });

  function line(fits: (line: LogLine) => boolean): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          finish(() =>
            reject(
              new Error(
                `no such log line; the last ones:\n${lines
                  .slice(-5)
                  .map((one) => JSON.stringify(one))
                  .join('\n')}\n${errors}`,
              ),
            ),
          ),
        LINE_TIMEOUT_MS,
      );
      const look = () => {
        const found = lines.find(fits);
        if (found !== undefined) finish(() => resolve(found));
        else if (child.exitCode !== null || child.signalCode !== null)
          finish(() => reject(new Error(`the host ended with ${child.exitCode ?? child.signalCode}: ${errors}`)));
      };
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        watchers.delete(look);
        settle();
      };
      watchers.add(look);
      look();
    });
  }

  const ready = await line((one) => one.msg === 'host ready');
  const url = ready['url'] as string;
  const host: HostProcess = {
    url,
    dataDir,
    pluginsDir,
    child,
    lines,
    stderr: () => errors,
    line,
    async request(method, target, body, headers = {}) {
      const response = await fetch(url + target, {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = (response.headers.get('content-type') ?? '').includes('json');
      return { status: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as Json) : text };
    },
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const how = await ended;
      running.delete(host);
      return how;
    },
  };
  running.add(host);
  return host;
}

/** Asks until the answer fits; rejects with the last answer when that takes too long. */
export async function until<T>(ask: () => Promise<T>, fits: (value: T) => boolean, timeoutMs = 15_000): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (fits(value)) return value;
    if (performance.now() > end)
      throw new Error(`not in ${timeoutMs} ms; the last answer: ${JSON.stringify(value)?.slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
