import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, until } from '../support/host-process.ts';
import { startLab, type Lab } from './lab.ts';
import { startSink, type Sink } from './sink.ts';

let lab: Lab;
let sink: Sink;

beforeAll(async () => {
  sink = await startSink();
  lab = await startLab({ env: { GOFLOW_EGRESS_ALLOW_PRIVATE: `127.0.0.1:${sink.port},127.0.0.1:${sink.web}` } });
});

afterAll(async () => {
  await cleanUp();
  await sink.close();
});

const isRunning = (run: { status: string; steps: unknown[] }) => run.status === 'running' && run.steps.length > 0;

async function cancel(tenant: string, id: string): Promise<void> {
  const answer = await lab.request('POST', `/api/runs/${id}/cancel`, {}, tenant);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
}

describe('a run that is ended from outside', () => {
  it('is cancelled at once, whatever its connector does', async () => {
    const id = await lab.begin('a', 'endless_loop');
    await lab.host.line((line) => line.msg === 'begun' && line['run_id'] === id);
    await cancel('a', id);
    const run = await lab.runWhen('a', id, ({ ending }) => ending !== null);
    expect(run).toMatchObject({ status: 'cancelled', error: { code: 'CANCELLED' }, ended_by: 'cancel' });
    expect(run.ending).toMatchObject({ engine_killed: false, thread_gone_after_ms: expect.any(Number) });
    expect((await lab.request('POST', `/api/runs/${id}/cancel`, {}, 'a')).status).toBe(409);
  });

  it('keeps its thread when its connector heeds the signal', async () => {
    const id = await lab.begin('a', 'not_idempotent', { config: { ms: 60_000 } });
    await lab.runWhen('a', id, isRunning);
    await cancel('a', id);
    const run = await lab.runWhen('a', id, ({ ending }) => ending !== null);
    expect(run).toMatchObject({ status: 'cancelled', ending: { engine_killed: false } });
  });

  it('is cancelled when its client goes away and the trigger said so, and only then', async () => {
    const trigger = await lab.prepare('b', 'answer', { config: { ms: 800 } });
    const leave = async (query: string) => {
      const client = new AbortController();
      const asked = fetch(`${lab.host.url}${trigger}?wait=30${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: lab.authorization, 'x-tenant-id': 'b' },
        body: '{}',
        signal: client.signal,
      }).catch(() => undefined);
      const { body } = await until(
        () => lab.request('GET', '/api/runs?status=running', undefined, 'b'),
        (answer) => answer.body.items.length === 1 && isRunning(answer.body.items[0]),
      );
      client.abort();
      await asked;
      return lab.runWhen('b', body.items[0].id, ({ finished_at }) => finished_at !== null);
    };
    expect(await leave('&on_disconnect=cancel')).toMatchObject({ status: 'cancelled', ended_by: 'disconnect' });
    expect(await leave('')).toMatchObject({ status: 'succeeded', ended_by: null });
  });

  it('is cancelled while it waits for another attempt', async () => {
    const retry = { max_attempts: 5, backoff_ms: 600_000, max_backoff_ms: 600_000 };
    const waits = (run: { steps: { error: unknown }[] }) => (run.steps[0]?.error ?? null) !== null;
    const id = await lab.begin('c', 'fail', { retry, timeout: 86_400 });
    await lab.runWhen('c', id, waits);
    await cancel('c', id);
    const run = await lab.runWhen('c', id, ({ ending }) => ending !== null);
    expect(run).toMatchObject({ status: 'cancelled', ending: { thread_gone_after_ms: null, engine_killed: false } });
  });

  it('does not begin when its time is over before its connector is reached', async () => {
    const run = await lab.run('d', 'answer', { timeout: 0.001 });
    expect(run).toMatchObject({ status: 'timed_out', ended_by: 'deadline' });
  });

  it('ends at the deadline of its action when that is the least', async () => {
    const run = await lab.run('d', 'short_timeout', { timeout: 30 });
    expect(run).toMatchObject({ status: 'timed_out', ended_by: 'deadline', error: { code: 'DEADLINE_EXCEEDED' } });
    expect(run.duration_ms).toBeLessThan(15_000);
  });
});

describe('the fence', () => {
  it('lets nothing out that a cancelled run still tries to write: by loops, timers and listeners, over sockets and requests', async () => {
    const credential = {
      name: 'sink',
      plugin: 'hostile',
      values: { host: '127.0.0.1', port: sink.port, web: sink.web },
    };
    expect((await lab.request('POST', '/api/credentials', credential, 'f')).status).toBe(201);
    const id = await lab.begin('f', 'write_for_ever', { credential: 'sink' });
    await until(
      async () => sink.bytes,
      (bytes) => bytes > 5000,
    );
    await cancel('f', id);
    // What had left the host before the answer may still be on its way through the system.
    await until(
      async () => sink.open,
      (open) => open === 0,
    );
    const { bytes, connections } = sink;
    await lab.runWhen('f', id, ({ ending }) => ending !== null);
    await lab.run('f', 'answer', { config: { ms: 300 } });
    expect({ bytes: sink.bytes, connections: sink.connections }).toEqual({ bytes, connections });
  });
});

describe('an attempt that lost its engine', () => {
  it('begins again with the same idempotency key, the next attempt number, and a door of its own', async () => {
    const id = await lab.begin('g', 'answer', { config: { ms: 1500 } });
    await lab.runWhen('g', id, isRunning);
    await lab.killEngine();
    const run = await lab.runWhen('g', id, ({ finished_at }) => finished_at !== null);
    expect(run).toMatchObject({
      status: 'succeeded',
      attempt: 1,
      output: { attempt: 2, key: `${id}:main` },
      steps: [{ attempt: 2, status: 'succeeded' }],
    });
  });

  it('is not run again when its action is not idempotent', async () => {
    const id = await lab.begin('g', 'not_idempotent', { config: { ms: 20_000 } });
    await lab.runWhen('g', id, isRunning);
    await lab.killEngine();
    const run = await lab.runWhen('g', id, ({ finished_at }) => finished_at !== null);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'INTERRUPTED' } });
  });
});
