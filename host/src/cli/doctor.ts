import { access, constants, readdir, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import type { HostConfig } from '../core/config.ts';
import { makeDataDir } from '../core/folders.ts';
import { messageOf } from '../core/errors.ts';
import { printJson, say } from './output.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, and what to do where it is wrong. */
  readonly detail: string;
}

/** Checks what a host needs on this machine. Gives the exit status: 1 when something is wrong. */
export async function runDoctor(config: HostConfig, json: boolean): Promise<number> {
  const checks = [
    nodeVersion(),
    await dataDir(config.dataDir),
    await pluginsDir(config.pluginsDir),
    await port(config),
    authentication(config),
  ];
  if (json) printJson(checks as never);
  else for (const check of checks) say(`${check.ok ? 'ok ' : 'BAD'}  ${check.name}: ${check.detail}`);
  return checks.every((check) => check.ok) ? 0 : 1;
}

function nodeVersion(): Check {
  const major = Number(process.versions.node.split('.')[0]);
  return {
    name: 'node',
    ok: major >= 26,
    detail: major >= 26 ? process.versions.node : `${process.versions.node}; Node 26 is needed: npm ci installs it`,
  };
}

async function dataDir(dir: string): Promise<Check> {
  try {
    await makeDataDir(dir);
    await access(dir, constants.W_OK | constants.R_OK);
    const { mode } = await stat(dir);
    const open = (mode & 0o077) !== 0;
    return {
      name: 'data directory',
      ok: !open,
      detail: open ? `${dir} can be read by other users; run: chmod 700 ${dir}` : dir,
    };
  } catch (error) {
    return {
      name: 'data directory',
      ok: false,
      detail: `${dir} cannot be used: ${messageOf(error)}; set GOFLOW_DATA_DIR`,
    };
  }
}

async function pluginsDir(dir: string): Promise<Check> {
  try {
    const entries = await readdir(dir);
    return { name: 'plugins directory', ok: true, detail: `${path.resolve(dir)}, ${entries.length} entries` };
  } catch {
    return { name: 'plugins directory', ok: true, detail: `${dir} does not exist; it is taken up when it appears` };
  }
}

function port(config: HostConfig): Promise<Check> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) =>
      resolve({
        name: 'address',
        ok: false,
        detail: `${config.host}:${config.port} cannot be had: ${error.message}; set GOFLOW_PORT, or stop the other program`,
      }),
    );
    server.listen(config.port, config.host, () =>
      server.close(() => resolve({ name: 'address', ok: true, detail: `${config.host}:${config.port} is free` })),
    );
  });
}

function authentication(config: HostConfig): Check {
  const loopback = config.host === 'localhost' || config.host === '::1' || config.host.startsWith('127.');
  if (config.adminKey !== undefined) return { name: 'authentication', ok: true, detail: 'a bootstrap key is set' };
  return {
    name: 'authentication',
    ok: loopback,
    detail: loopback
      ? 'no key: open to this machine only'
      : `no key, and ${config.host} is not loopback: the host refuses to start unless a key exists; set GOFLOW_ADMIN_KEY`,
  };
}
