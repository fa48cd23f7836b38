import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConnector } from '../support/connector.ts';
import { cleanUp, MAIN, startHost, tempDir, until, type HostProcess, type Json } from '../support/host-process.ts';

const ADMIN_KEY = 'bootstrap-key-of-this-test';
const AUTHORIZED = { authorization: `Bearer ${ADMIN_KEY}` };

const CONNECTOR = `
import { defineAction, defineConnector } from '@goflow/plugin-sdk';
export default defineConnector({
  name: 'keeping', version: '1.0.0', title: 'Keeping', description: 'Waits, and tells how long its credential is.',
  credential: { type: 'object', required: ['label'], properties: { label: { type: 'string' } } },
  actions: {
    keep: defineAction({
      title: 'Keep',
      input: { type: 'object', properties: { ms: { type: 'integer' } }, additionalProperties: false },
      async run(ctx, input) {
        await ctx.sleep(input.ms ?? 0);
        return { letters: ctx.credential.label.length, attempt: ctx.attempt };
      },
    }),
  },
});
`;

/** The command line; gives its exit status and what it said. */
async function goflow(...args: string[]): Promise<{ status: number; said: string }> {
  const env = { PATH: process.env['PATH'] ?? '' };
  try {
    const { stderr } = await promisify(execFile)(process.execPath, [MAIN, ...args], { env });
    return { status: 0, said: stderr };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { status: code, said: stderr };
  }
}

describe('goflow backup and goflow restore', () => {
  let host: HostProcess;
  let file: string;
  let workflow: string;
  let backedUp: { status: number; said: string };
  /** Runs that were in flight, and one that had ended, when the backup was made. */
  let inFlight: string[];
  let ended: { id: string };

  const start = (dataDir: string) => startHost({ dataDir, env: { GOFLOW_ADMIN_KEY: ADMIN_KEY } });

  beforeAll(async () => {
    host = await start(await tempDir());
    const send = async (method: string, target: string, body: unknown): Promise<Json> => {
      const answer = await host.request(method, target, body, AUTHORIZED);
      expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
      return answer.body;
    };
    await send('POST', '/api/plugins', await readFile(await buildConnector(CONNECTOR), 'utf8'));
    await send('PUT', '/api/plugins/keeping/grants', { permissions: {} });
    await send('POST', '/api/credentials', { name: 'main', plugin: 'keeping', values: { label: 'sealed words' } });
    const made = await send('POST', '/api/workflows', {
      name: 'Keep',
      parameters: [{ name: 'ms', type: 'integer' }],
      action: 'keep',
      config: { ms: '{{params.ms}}' },
    });
    workflow = made.id;
    ended = await send('POST', `/api/workflows/${workflow}/trigger?wait=20`, { parameters: { ms: 0 } });
    inFlight = [];
    for (let count = 0; count < 10; count += 1) {
      const { run_id: id } = await send('POST', `/api/workflows/${workflow}/trigger`, { parameters: { ms: 2000 } });
      inFlight.push(id as string);
    }
    file = path.join(await tempDir(), 'goflow.tar');
    backedUp = await goflow('backup', file, '--url', host.url, '--key', ADMIN_KEY);
  }, 60_000);
  afterAll(cleanUp);

  it('copies a host with runs in flight to one file, which holds no key', async () => {
    expect(backedUp).toMatchObject({ status: 0, said: expect.stringContaining('the master key is not in it') });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const key = (await readFile(path.join(host.dataDir, 'master.key'), 'utf8')).trim();
    const content = await readFile(file);
    expect(content.includes(key) || content.includes(Buffer.from(key, 'base64'))).toBe(false);
    expect(content.includes('sealed words')).toBe(false);
    // The host went on, and keeps no copy.
    expect((await host.request('GET', '/readyz')).status).toBe(200);
    expect((await readdir(host.dataDir)).filter((name) => name.startsWith('backup-'))).toEqual([]);
  });

  it('gives a host with the same runs, plugins and credentials; what was in flight ends there', async () => {
    const dataDir = path.join(await tempDir(), 'restored');
    const restored = await goflow('restore', file, '--data-dir', dataDir);
    expect(restored).toMatchObject({ status: 0, said: expect.stringContaining('put its master.key there') });
    await copyFile(path.join(host.dataDir, 'master.key'), path.join(dataDir, 'master.key'));

    const next = await start(dataDir);
    expect((await next.request('GET', `/api/runs/${ended.id}`, undefined, AUTHORIZED)).body).toEqual(ended);
    for (const id of inFlight) {
      const { body } = await until(
        () => next.request('GET', `/api/runs/${id}`, undefined, AUTHORIZED),
        (answer) => answer.body.finished_at !== null,
      );
      expect(body).toMatchObject({ status: 'succeeded', output: { letters: 12, attempt: 2 } });
    }
    const again = await next.request(
      'POST',
      `/api/workflows/${workflow}/trigger?wait=20`,
      { parameters: { ms: 0 } },
      AUTHORIZED,
    );
    expect(again.body).toMatchObject({ status: 'succeeded', output: { letters: 12 } });
    const audit = await next.request('GET', '/api/audit', undefined, AUTHORIZED);
    expect(audit.status).toBe(200);
    await next.stop();
  });

  it('restores nothing over what is there, and nothing from a file that is damaged or cut off', async () => {
    const before = await stat(path.join(host.dataDir, 'goflow.db'));
    expect(await goflow('restore', file, '--data-dir', host.dataDir)).toMatchObject({
      status: 1,
      said: expect.stringMatching(/^goflow: .* is not empty \(.*\); a backup is restored into an empty data directory/),
    });
    expect((await stat(path.join(host.dataDir, 'goflow.db'))).ino).toBe(before.ino);

    const whole = await readFile(file);
    const damaged = Buffer.from(whole);
    damaged.write('damage', 512 * 20);
    const broken = { 'cut off': whole.subarray(0, whole.length / 2), damaged, 'not a backup': Buffer.from('hello') };
    for (const [name, content] of Object.entries(broken)) {
      const bad = path.join(await tempDir(), 'bad.tar');
      await writeFile(bad, content);
      const dataDir = path.join(await tempDir(), 'data');
      await mkdir(dataDir);
      const refused = await goflow('restore', bad, '--data-dir', dataDir);
      expect(refused, name).toMatchObject({ status: 1, said: expect.stringContaining('cannot be restored') });
      expect(await readdir(dataDir), name).not.toContain('goflow.db');
      // The same directory takes a good one.
      expect(await goflow('restore', file, '--data-dir', dataDir)).toMatchObject({ status: 0 });
    }
  });

  it('is for the bootstrap key alone', async () => {
    const made = await host.request('POST', '/api/keys', { name: 'admin', role: 'admin' }, AUTHORIZED);
    const refused = await goflow('backup', `${file}.2`, '--url', host.url, '--key', made.body.key as string);
    expect(refused).toMatchObject({ status: 1, said: expect.stringContaining('FORBIDDEN') });
    expect(await readdir(path.dirname(file))).toEqual(['goflow.tar']);
  });
});
