import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Failure } from './failure.ts';
import { findPackage } from './installed.ts';
import type { Io } from './io.ts';
import { projectDir } from './project.ts';

/** Starts a host of one's own on this machine, on a free port and with a data directory that goes with it. */
export async function startHost(io: Io): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const host = findPackage(projectDir(), '@goflow/host');
  if (host === null) throw new Failure('No host was found to start; name a running one: --host http://127.0.0.1:8080');
  const dir = await mkdtemp(path.join(tmpdir(), 'goflow-dev-'));
  const child = spawn(process.execPath, [path.join(host, 'dist', 'main.js'), 'start'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      GOFLOW_HOST: '127.0.0.1',
      GOFLOW_PORT: process.env['GOFLOW_PORT'] ?? '0',
      GOFLOW_DATA_DIR: path.join(dir, 'data'),
      GOFLOW_PLUGINS_DIR: path.join(dir, 'plugins'),
      GOFLOW_LOG_LEVEL: process.env['GOFLOW_LOG_LEVEL'] ?? 'warn',
      // "host ready" is told at this level.
      GOFLOW_LOG_LEVELS: 'host=info',
    },
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  const ready = Promise.withResolvers<string>();
  child.once('error', ready.reject);
  void ended.then(() => ready.reject(new Failure('The host that was started has ended.')));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { msg, url, level } = parse(line);
    if (msg === 'host ready' && typeof url === 'string') ready.resolve(url);
    else if (level !== 'info') io.say(`host: ${line}`);
  });
  try {
    return { url: await ready.promise, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function parse(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return {};
  }
}
