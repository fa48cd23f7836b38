import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, startHost, tempDir, type Answer, type HostProcess } from '../support/host-process.ts';
import { killTree } from '../support/kill-tree.ts';

const ADMIN_KEY = 'bootstrap-key-of-this-test';

describe('a trigger with an Idempotency-Key', () => {
  let dataDir: string;
  let host: HostProcess;
  let workflow: string;

  const start = (): Promise<HostProcess> => startHost({ dataDir, env: { GOFLOW_ADMIN_KEY: ADMIN_KEY } });
  const send = (method: string, target: string, body?: unknown, headers = {}): Promise<Answer> =>
    host.request(method, target, body, { authorization: `Bearer ${ADMIN_KEY}`, ...headers });
  const trigger = (key: string, text = 'a', wait = '', headers = {}): Promise<Answer> =>
    send(
      'POST',
      `/api/workflows/${workflow}/trigger${wait}`,
      { parameters: { text } },
      { 'idempotency-key': key, ...headers },
    );
  const replayed = (answer: Answer): boolean => answer.headers.get('idempotency-replayed') === 'true';

  beforeAll(async () => {
    dataDir = await tempDir();
    host = await start();
    const body = { name: 'Echo', parameters: [{ name: 'text', type: 'string' }] };
    const made = await send('PUT', '/api/workflows/echo', body);
    await send('PUT', '/api/workflows/echo', body, { 'x-tenant-id': 'other' });
    workflow = made.body.id as string;
  });
  afterAll(cleanUp);

  it('makes one run of many concurrent requests; the others get its answer or are told to wait', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => trigger('concurrent')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202, 409]));
    const runs = new Set(answers.filter(({ status }) => status === 202).map(({ body }) => body.run_id as string));
    expect(runs.size).toBe(1);
    for (const answer of answers.filter(({ status }) => status === 409))
      expect(answer.body.code).toBe('IDEMPOTENCY_IN_PROGRESS');
    const again = await trigger('concurrent');
    expect(again).toMatchObject({ status: 202, body: { run_id: [...runs][0] } });
    expect(replayed(again)).toBe(true);
  });

  it('is answered the same after kill -9, with and without a wait', async () => {
    const first = await trigger('killed');
    const waited = await trigger('killed-wait', 'a', '?wait=10');
    expect(waited).toMatchObject({ status: 200, body: { status: 'succeeded' } });
    killTree(host.child.pid as number);
    await host.stop('SIGKILL');
    host = await start();

    const again = await trigger('killed');
    expect(again.status).toBe(202);
    expect(again.body).toEqual(first.body);
    expect(replayed(again)).toBe(true);
    const waitedAgain = await trigger('killed-wait', 'a', '?wait=10');
    expect(waitedAgain).toMatchObject({ status: 200, body: waited.body });
    expect(replayed(waitedAgain)).toBe(true);
  });

  it('is refused with another body, and free in another tenant or workflow', async () => {
    const first = await trigger('shared');
    const other = await trigger('shared', 'b');
    expect(other).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_MISMATCH' } });
    // The order of members is no difference.
    const elsewhere = await trigger('shared', 'b', '', { 'x-tenant-id': 'other' });
    expect(elsewhere.status).toBe(202);
    expect(replayed(elsewhere)).toBe(false);
    expect(elsewhere.body.run_id).not.toBe(first.body.run_id);
    const second = await send('POST', '/api/workflows', { name: 'Second' });
    const there = await send('POST', `/api/workflows/${second.body.id}/trigger`, {}, { 'idempotency-key': 'shared' });
    expect(there.status).toBe(202);
    expect(replayed(there)).toBe(false);
  });

  it('is not used up by a request that was refused', async () => {
    const bad = await send(
      'POST',
      `/api/workflows/${workflow}/trigger`,
      { parameters: { text: 1 } },
      { 'idempotency-key': 'refused' },
    );
    expect(bad.status).toBe(400);
    const good = await trigger('refused');
    expect(good.status).toBe(202);
    expect(replayed(good)).toBe(false);
  });

  it('is new again after 24 hours, and stands for its run even when retention has deleted that', async () => {
    const old = await trigger('old');
    const kept = await trigger('kept');
    await host.stop();
    const database = new Database(path.join(dataDir, 'goflow.db'));
    const day = 24 * 60 * 60 * 1000;
    const aged = database.prepare("UPDATE idempotency SET created_at = created_at - ? WHERE key = 'old'").run(day);
    expect(aged.changes).toBe(1);
    database.prepare('DELETE FROM runs WHERE id = ?').run(kept.body.run_id);
    database.close();
    host = await start();
    const again = await trigger('old', 'another body');
    expect(again.status).toBe(202);
    expect(replayed(again)).toBe(false);
    expect(again.body.run_id).not.toBe(old.body.run_id);
    const forgotten = await trigger('kept');
    expect(forgotten).toMatchObject({ status: 202, body: { run_id: kept.body.run_id } });
    expect(replayed(forgotten)).toBe(true);
    await host.stop();
  });
});
