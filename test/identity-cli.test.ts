import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { cleanUp, ROOT, startHost, tempDir, type HostProcess } from './support/host-process.ts';

/** `goflow keys` and `goflow secrets`, as a person runs them. */
const MAIN = path.join(ROOT, 'host/dist/main.js');
const run = promisify(execFile);

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function goflow(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  try {
    const { stdout, stderr } = await run(process.execPath, [MAIN, ...args], { env: { PATH: '', ...env } });
    return { status: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

afterAll(cleanUp);

describe('goflow keys create --expires', () => {
  it('takes a time or a duration, shows it in the list, and tells a wrong one', async () => {
    const host = await startHost({ env: { GOFLOW_ADMIN_KEY: 'bootstrap-key-0123' } });
    const client = ['--url', host.url, '--key', 'bootstrap-key-0123'];
    const create = (expires: string) =>
      goflow(['keys', 'create', 'ci', '--role', 'viewer', '--expires', expires, '--json', ...client]);
    const timed = JSON.parse((await create('2099-01-31T12:00:00Z')).stdout) as { expires_at: string };
    expect(timed.expires_at).toBe('2099-01-31T12:00:00.000Z');
    const lasting = JSON.parse((await create('90d')).stdout) as { expires_at: string };
    expect(Math.abs(Date.parse(lasting.expires_at) - Date.now() - 90 * 86_400_000)).toBeLessThan(60_000);
    expect((await goflow(['keys', 'list', ...client])).stdout).toContain('2099-01-31T12:00:00.000Z');
    const wrong = await create('yesterday');
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('must be a time in the future')]);
    await host.stop();
  });
});

describe('goflow secrets rotate', () => {
  async function withCredential(host: HostProcess): Promise<void> {
    const made = await host.request('POST', '/api/credentials', { service_name: 'mailer', api_key: 'sk-1234567890' });
    expect(made.status).toBe(201);
    await host.stop();
  }
  /** Whether the host opens what it sealed: the names of a credential's values come out of its sealed part. */
  async function opens(dataDir: string, env: Record<string, string> = {}): Promise<unknown> {
    const host = await startHost({ dataDir, env });
    const { body } = await host.request('GET', '/api/credentials');
    const audit = await host.request('GET', '/api/audit');
    await host.stop();
    return [body.items[0].fields, audit.body.items[0].action];
  }

  it('puts a new key file in the place of the old one of a stopped host', async () => {
    const host = await startHost();
    const { dataDir } = host;
    const file = path.join(dataDir, 'master.key');
    const before = await readFile(file, 'utf8');
    const running = await goflow(['secrets', 'rotate', '--data-dir', dataDir]);
    expect([running.status, running.stderr]).toEqual([1, expect.stringMatching(/in use|another/)]);
    await withCredential(host);
    const done = await goflow(['secrets', 'rotate', '--data-dir', dataDir]);
    expect([done.status, done.stdout, done.stderr]).toEqual([0, '', expect.stringContaining(file)]);
    const after = await readFile(file, 'utf8');
    expect(after).not.toBe(before);
    expect(done.stderr).not.toContain(after.trim());
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await opens(dataDir)).toEqual([['api_key'], 'secrets.rotate']);
    // The old key is of no use any more.
    await writeFile(file, before);
    await expect(startHost({ dataDir })).rejects.toThrow(/is not the key this data directory was written with/);
  });

  it('goes from the key of the environment to that of a file', async () => {
    const old = Buffer.alloc(32, 1).toString('base64');
    const host = await startHost({ env: { GOFLOW_MASTER_KEY: old } });
    await withCredential(host);
    const { dataDir } = host;
    const rotate = (...args: string[]) =>
      goflow(['secrets', 'rotate', '--data-dir', dataDir, ...args], { GOFLOW_MASTER_KEY: old });
    expect((await rotate()).stderr).toContain('--new-key-file');
    expect((await rotate()).status).toBe(2);
    const file = path.join(await tempDir(), 'new.key');
    expect(await rotate('--new-key-file', file)).toMatchObject({ status: 0 });
    const key = (await readFile(file, 'utf8')).trim();
    expect(existsSync(path.join(dataDir, 'master.key'))).toBe(false);
    expect(await opens(dataDir, { GOFLOW_MASTER_KEY: key })).toEqual([['api_key'], 'secrets.rotate']);
    // Once more with the old key: it says so, and changes nothing.
    const again = await rotate('--new-key-file', file);
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('GOFLOW_MASTER_KEY is not the key')]);
    expect(await opens(dataDir, { GOFLOW_MASTER_KEY: key })).toEqual([['api_key'], 'secrets.rotate']);
  });

  it('refuses a folder that is no data directory', async () => {
    const wrong = await goflow(['secrets', 'rotate', '--data-dir', await tempDir()]);
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('is no data directory')]);
  });
});
