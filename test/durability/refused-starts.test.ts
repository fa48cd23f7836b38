import { spawnSync } from 'node:child_process';
import { openSync, readFileSync, closeSync, statSync, truncateSync, writeSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, MAIN, startHost, tempDir, type LogLine } from '../support/host-process.ts';

/** Starts a host that has to refuse; gives its exit status and what the operator sees. */
function refused(
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
): { status: number | null; stderr: string; lines: LogLine[] } {
  const args = [
    MAIN,
    'start',
    ...(env['GOFLOW_PORT'] === undefined ? ['--port', '0'] : []),
    '--data-dir',
    dataDir,
    '--plugins-dir',
    dataDir,
  ];
  const ended = spawnSync(process.execPath, args, {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    encoding: 'utf8',
    timeout: 20_000,
  });
  const lines = ended.stdout.split('\n').filter((line) => line !== '');
  return { status: ended.status, stderr: ended.stderr, lines: lines.map((line) => JSON.parse(line) as LogLine) };
}

function overwrite(file: string, position: number, text: string): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, text, position);
  closeSync(descriptor);
}

describe('a start that cannot be', () => {
  let dataDir: string;
  let file: string;

  beforeAll(async () => {
    dataDir = await tempDir();
    file = path.join(dataDir, 'goflow.db');
    const host = await startHost({ dataDir });
    await host.request('POST', '/api/workflows', { name: 'There' });
    await host.stop();
  });
  afterAll(cleanUp);

  /** A copy of the data directory to break. */
  async function copied(): Promise<{ dataDir: string; file: string }> {
    const copy = await tempDir();
    expect(spawnSync('cp', ['-a', `${dataDir}/.`, copy]).status).toBe(0);
    return { dataDir: copy, file: path.join(copy, 'goflow.db') };
  }

  /** One line for people, the same as a log line for machines, and no stack. */
  function expectOneLine(start: ReturnType<typeof refused>, status: number, says: RegExp): void {
    expect(start.stderr).toMatch(says);
    expect(start.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(start.status).toBe(status);
    if (status === 1) expect(start.lines.at(-1)).toMatchObject({ level: 'fatal', msg: 'the host could not start' });
    expect(JSON.stringify(start.lines)).not.toContain('host ready');
  }

  it('says that the database is damaged, and leaves it as it is', async () => {
    const broken = await copied();
    overwrite(broken.file, 0, 'not a database at all');
    const before = readFileSync(broken.file);
    expectOneLine(refused(broken.dataDir), 1, /goflow\.db is damaged .*restore a backup/);
    expect(readFileSync(broken.file).equals(before)).toBe(true);
  });

  it('does not take an emptied database for a new one', async () => {
    const broken = await copied();
    truncateSync(broken.file, 0);
    expectOneLine(refused(broken.dataDir), 1, /goflow\.db is empty.*restore a backup/);
    expect(statSync(broken.file).size).toBe(0);
  });

  it('names the newer version that wrote the data directory', async () => {
    const newer = await copied();
    const database = new Database(newer.file);
    database.pragma('user_version = 999');
    database.close();
    expectOneLine(refused(newer.dataDir), 1, /schema version 999.*start the newer GoFlow/);
  });

  it('names the host that has the data directory already, which goes on', async () => {
    const host = await startHost({ dataDir });
    try {
      expectOneLine(refused(dataDir), 1, new RegExp(`in use by another host \\(process ${host.child.pid}\\)`));
      expect((await host.request('GET', '/readyz')).status).toBe(200);
    } finally {
      await host.stop();
    }
  });

  it('names the master key: malformed, of another data directory, or gone', async () => {
    expectOneLine(refused(dataDir, { GOFLOW_MASTER_KEY: 'short' }), 2, /^goflow: GOFLOW_MASTER_KEY: .*32 bytes/);
    const other = Buffer.alloc(32, 7).toString('base64');
    const wrong = refused(dataDir, { GOFLOW_MASTER_KEY: other });
    expectOneLine(wrong, 1, /GOFLOW_MASTER_KEY is not the key this data directory was written with/);
    expect(wrong.stderr + JSON.stringify(wrong.lines)).not.toContain(other);
    const keyless = await copied();
    spawnSync('rm', [path.join(keyless.dataDir, 'master.key')]);
    expectOneLine(refused(keyless.dataDir), 1, /has no master\.key; start with the master key that was used before/);
    expect(statSync(file).size).toBeGreaterThan(0);
  });

  it('names the address that cannot be had', async () => {
    const host = await startHost();
    const port = new URL(host.url).port;
    expectOneLine(refused(await tempDir(), { GOFLOW_HOST: '127.0.0.1', GOFLOW_PORT: port }), 1, /in use/);
    await host.stop();
  });
});
