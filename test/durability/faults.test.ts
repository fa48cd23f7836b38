import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { cleanUp, startHost, tempDir, until, type HostProcess } from '../support/host-process.ts';

/** How long another process holds the database in the suite; a write waits 5 s for a lock, so this is past that. */
const LOCKED_MS = 6500;

async function echoWorkflow(host: HostProcess): Promise<string> {
  const made = await host.request('POST', '/api/workflows', {
    name: 'Echo',
    parameters: [{ name: 'text', type: 'string', default: '' }],
  });
  expect(made.status).toBe(201);
  return made.body.id as string;
}

function trigger(host: HostProcess, workflow: string, text = '', wait = ''): ReturnType<HostProcess['request']> {
  return host.request('POST', `/api/workflows/${workflow}/trigger${wait}`, { parameters: { text } });
}

async function expectReading(host: HostProcess, workflow: string): Promise<void> {
  expect((await host.request('GET', '/healthz')).status).toBe(200);
  expect((await host.request('GET', `/api/workflows/${workflow}`)).status).toBe(200);
  expect((await host.request('GET', '/api/runs')).status).toBe(200);
}

async function ready(host: HostProcess): Promise<number> {
  return (await host.request('GET', '/readyz')).status;
}

describe('a host whose store cannot write', () => {
  afterAll(cleanUp);

  it('answers 507 on a full disk, goes on reading, and takes work again by itself when there is space', async ({
    skip,
  }) => {
    const disk = await tempDir();
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]).status !== 0)
      skip('needs the right to mount a tmpfs');
    onTestFinished(() => void spawnSync('umount', ['-l', disk]));
    const ballast = path.join(disk, 'ballast');
    writeFileSync(ballast, Buffer.alloc(2 * 1024 * 1024));
    const host = await startHost({ dataDir: path.join(disk, 'data') });
    const workflow = await echoWorkflow(host);
    const accepted: string[] = [];
    const text = 'x'.repeat(20_000);
    const refused = await until(
      async () => {
        const answer = await trigger(host, workflow, text);
        if (answer.status === 202) accepted.push(answer.body.run_id as string);
        return answer;
      },
      (answer) => answer.status !== 202,
    );
    expect(refused).toMatchObject({ status: 507, body: { code: 'STORE_FULL' } });
    await expectReading(host, workflow);
    expect(await host.request('GET', '/readyz')).toMatchObject({
      status: 503,
      body: { checks: { store: { status: 'failed', detail: expect.stringContaining('no space left') } } },
    });
    await host.line((line) => line.level === 'error' && /no space left for .*goflow\.db; free some/.test(line.msg));

    rmSync(ballast);
    await until(
      () => ready(host),
      (status) => status === 200,
    );
    const again = await trigger(host, workflow, '', '?wait=10');
    expect(again).toMatchObject({ status: 200, body: { status: 'succeeded' } });
    // Runs whose end could not be written end now.
    for (const id of accepted)
      await until(
        () => host.request('GET', `/api/runs/${id}`),
        ({ body }) => body.status === 'succeeded',
      );
    await host.stop();
  });

  it('answers 503 while another process locks the database, and goes on by itself afterwards', async () => {
    const host = await startHost();
    const workflow = await echoWorkflow(host);
    const before = await trigger(host, workflow, '', '?wait=10');
    const hold = `const d = new (require('better-sqlite3'))(process.argv[1]); d.exec('BEGIN IMMEDIATE'); console.log('locked'); setTimeout(() => d.close(), ${LOCKED_MS})`;
    const holder = spawn(process.execPath, ['-e', hold, path.join(host.dataDir, 'goflow.db')]);
    onTestFinished(() => void holder.kill('SIGKILL'));
    await once(holder.stdout, 'data');

    const waiting = trigger(host, workflow);
    await expectReading(host, workflow);
    expect(await waiting).toMatchObject({ status: 503, body: { code: 'STORE_UNAVAILABLE' } });
    expect((await waiting).headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await ready(host)).toBe(503);
    await expectReading(host, workflow);
    expect((await host.request('GET', `/api/runs/${before.body.id}`)).body).toEqual(before.body);
    await host.line((line) => line.level === 'error' && line.msg.includes('is locked by another process'));

    await once(holder, 'exit');
    await until(
      () => ready(host),
      (status) => status === 200,
    );
    expect(await trigger(host, workflow, '', '?wait=10')).toMatchObject({ status: 200 });
    const runs = await host.request('GET', '/api/runs');
    // What was refused is not there.
    expect(runs.body.items).toHaveLength(2);
    await host.stop();
  }, 60_000);
});
