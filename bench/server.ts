import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** A server under measurement: a process of its own on a core of its own, its log lines in a real file. */
export interface Server {
  readonly url: string;
  /** Milliseconds from the spawn to the line that says that it is ready. */
  readonly readyMs: number;
  readonly child: ChildProcess;
  readonly folder: string;
  stop(): Promise<void>;
}

export const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const SERVER_CORE = '0';

/** Whether each side gets a core of its own; without it (BENCH_PIN=off, or no taskset) both sides share all cores, as a plain start does. */
export const canPin =
  process.env['BENCH_PIN'] !== 'off' && spawnSync('taskset', ['-c', SERVER_CORE, 'true']).status === 0;

export async function startServer(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const folder = mkdtempSync(path.join(tmpdir(), 'goflow-bench-'));
  const log = path.join(folder, 'log');
  const out = openSync(log, 'a');
  const command = canPin ? ['taskset', '-c', SERVER_CORE, process.execPath, ...args] : [process.execPath, ...args];
  const started = performance.now();
  const child = spawn(command[0] as string, command.slice(1), {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'] ?? '',
      NODE_ENV: 'production',
      GOFLOW_DATA_DIR: path.join(folder, 'data'),
      ...env,
    },
    stdio: ['ignore', out, 2],
  });
  closeSync(out);
  const url = await readyUrl(log, child);
  const readyMs = performance.now() - started;
  return {
    url,
    readyMs,
    child,
    folder,
    stop: () =>
      new Promise((resolve) => {
        child.on('close', () => {
          rmSync(folder, { recursive: true, force: true });
          resolve();
        });
        child.kill('SIGTERM');
      }),
  };
}

async function readyUrl(log: string, child: ChildProcess): Promise<string> {
  for (const end = performance.now() + 20_000; performance.now() < end; ) {
    const ready = readFileSync(log, 'utf8')
      .split('\n')
      .find((line) => line.includes('"msg":"host ready"'));
    if (ready !== undefined && ready.endsWith('}')) return (JSON.parse(ready) as { url: string }).url;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`the server did not start: ${readFileSync(log, 'utf8').slice(-2000)}`);
}

/** Memory of a process and all its descendants in MiB: proportional set size, so that shared pages count once. */
export function memoryOf(pid: number): number {
  return descendants(pid).reduce((sum, one) => sum + pssOf(one), 0) / 1024;
}

function pssOf(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function descendants(pid: number): number[] {
  const found = [pid];
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim();
    for (const child of children.split(' ').filter((text) => text !== '')) found.push(...descendants(Number(child)));
  }
  return found;
}
