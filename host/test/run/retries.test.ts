import { copyFile, mkdir } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRetryBudget } from '../../src/run/retry-budget.ts';
import { retryDelay } from '../../src/run/retry.ts';
import { buildConnector } from '../../../test/support/connector.ts';
import {
  addWorkflow,
  cleanUp,
  startHost,
  startUpstream,
  tempDir,
  until,
  type Json,
  type RunningHost,
  type Upstream,
} from '../support/running-host.ts';

const error = { code: 'X', message: 'x', retryable: true };

describe('the pause before a retry', () => {
  test('grows exponentially up to its limit, with full jitter', () => {
    const policy = { max_attempts: 9, backoff_ms: 100, max_backoff_ms: 1000 };
    const longest = [2, 3, 4, 5, 6, 7].map((attempt) => retryDelay(policy, attempt, error, 0, () => 1));
    expect(longest).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(retryDelay(policy, 5, error, 0, () => 0)).toBe(0);
    expect(retryDelay(policy, 5, error, 0, () => 0.5)).toBe(400);
  });

  test('is at least what the service asked for', () => {
    const policy = { max_attempts: 2, backoff_ms: 100 };
    const asking = { ...error, details: { retry_after_ms: 5000 } };
    expect(retryDelay(policy, 2, asking, 0, () => 0)).toBe(5000);
    expect(retryDelay(policy, 2, error, 7000, () => 1)).toBe(7100);
  });

  test('is longer when retries are more than a fifth of the calls', () => {
    let now = 0;
    const budget = createRetryBudget(() => now);
    const waits = Array.from({ length: 120 }, () => budget.take('t', 'p'));
    expect(waits.slice(0, 100)).toEqual(waits.slice(0, 100).map(() => 0));
    expect(waits.at(-1)).toBe(2000);
    expect(budget.take('other', 'p')).toBe(0);
    now += 2000;
    expect(budget.take('t', 'p')).toBe(100);
    for (let count = 0; count < 10; count += 1) budget.called('t', 'p');
    expect(budget.take('t', 'p')).toBe(0);
  });
});

/** Throws what the service answers; for 503 the service alone says when to come back. */
const connector = (port: number): string => `
import { ConnectorError, defineAction, defineConnector } from '@goflow/plugin-sdk';
export default defineConnector({
  name: 'asking', version: '1.0.0', title: 'Asking', description: 'Asks a service.',
  permissions: { net: ['127.0.0.1:${port}'] },
  actions: {
    ask: asking(true),
    ask_once: asking(false),
  },
});
function asking(idempotent: boolean) {
  return defineAction({
      title: 'Ask',
      idempotent,
      input: { type: 'object', required: ['path'], properties: { path: { type: 'string' } }, additionalProperties: false },
      async run(ctx, input) {
        const response = await ctx.fetch('http://127.0.0.1:${port}' + input.path);
        if (response.ok) return { attempt: ctx.attempt };
        throw new ConnectorError('STATUS_' + response.status, 'no', { retryable: response.status >= 500 });
      },
  });
}
`;

describe('a step with retries', () => {
  let upstream: Upstream;
  let host: RunningHost;
  let start: (dataDir?: string) => Promise<RunningHost>;
  /** When each path was asked. */
  const asked = new Map<string, number[]>();

  const answer: RequestListener = (req, res) => {
    const url = req.url ?? '';
    const times = asked.get(url) ?? [];
    asked.set(url, [...times, performance.now()]);
    if (url.startsWith('/twice') && times.length >= 2) res.end('ok');
    else if (url.startsWith('/later') && times.length >= 1) res.end('ok');
    else {
      res.statusCode = url.startsWith('/bad') ? 400 : 500;
      if (url.startsWith('/later') || url.startsWith('/dead')) res.statusCode = 503;
      if (url.startsWith('/later')) res.setHeader('retry-after', '1');
      res.end('no');
    }
  };
  const workflow = (at: string, retry: object, more: object = {}): Promise<string> =>
    addWorkflow(host, { name: at, action: 'ask', config: { path: at }, retry, ...more });
  const run = async (id: string, wait = 20): Promise<Json> =>
    (await host.request('POST', `/api/workflows/${id}/trigger?wait=${wait}`, {})).body;

  beforeAll(async () => {
    upstream = await startUpstream(answer);
    const { port } = upstream;
    const pluginsDir = await tempDir();
    await mkdir(pluginsDir, { recursive: true });
    const bundle = await buildConnector(connector(port));
    await copyFile(bundle, path.join(pluginsDir, path.basename(bundle)));
    start = (dataDir) =>
      startHost({
        ...(dataDir === undefined ? {} : { dataDir }),
        env: { GOFLOW_EGRESS_ALLOW_PRIVATE: `127.0.0.1:${port}`, GOFLOW_PLUGINS_DIR: pluginsDir },
      });
    host = await start();
    const permissions = { net: [`127.0.0.1:${port}`] };
    const granted = await host.request('PUT', '/api/plugins/asking/grants', { permissions });
    expect(granted.status, JSON.stringify(granted.body)).toBe(200);
  }, 60_000);
  afterAll(cleanUp);

  test('tries again after a retryable error, with the next attempt number', async () => {
    const id = await workflow('/twice', { max_attempts: 3, backoff_ms: 10 });
    expect(await run(id)).toMatchObject({ status: 'succeeded', output: { attempt: 3 } });
    expect(asked.get('/twice')).toHaveLength(3);
  });

  test('ends with the last error when its attempts are used up, or at once when the error is not retryable', async () => {
    const never = await workflow('/never', { max_attempts: 4, backoff_ms: 1 });
    expect(await run(never)).toMatchObject({
      status: 'failed',
      error: { code: 'STATUS_500' },
      steps: [{ attempt: 4 }],
    });
    const bad = await workflow('/bad', { max_attempts: 4, backoff_ms: 1 });
    expect(await run(bad)).toMatchObject({ status: 'failed', error: { code: 'STATUS_400' }, steps: [{ attempt: 1 }] });
  });

  test('does not begin a pause that ends past the deadline', async () => {
    const retry = { max_attempts: 20, backoff_ms: 200, max_backoff_ms: 200 };
    const id = await workflow('/short', retry, { execution_timeout: 0.5 });
    const ended = await run(id);
    expect(ended).toMatchObject({ status: 'failed', error: { code: 'STATUS_500' } });
    expect(ended.duration_ms).toBeLessThan(2000);
  });

  test('comes back when the service asked for it, although the connector did not say so', async () => {
    const id = await workflow('/later', { max_attempts: 2, backoff_ms: 1 });
    expect(await run(id)).toMatchObject({ status: 'succeeded', output: { attempt: 2 } });
    const [first = 0, second = 0] = asked.get('/later') ?? [];
    expect(second - first).toBeGreaterThanOrEqual(990);
  });

  test('waits out its pause over a restart, and goes on with the next attempt', async () => {
    // A pause cuts off no attempt, so that an action that must not be repeated goes on as well.
    const retry = { max_attempts: 3, backoff_ms: 3000, max_backoff_ms: 3000 };
    const id = await workflow('/twice/restart', retry, { action: 'ask_once' });
    const accepted = await host.request('POST', `/api/workflows/${id}/trigger`, {});
    const runId = accepted.body.run_id as string;
    const get = async (): Promise<Json> => (await host.request('GET', `/api/runs/${runId}`)).body;
    const before = await until(get, (one) => one.retries.length > 0);
    await host.stop(0);
    host = await start(host.dataDir);
    const ended = await until(get, (one) => one.finished_at !== null);
    expect(ended).toMatchObject({ status: 'succeeded', output: { attempt: 3 } });
    expect(asked.get('/twice/restart')).toHaveLength(3);
    const [first = 0, second = 0] = asked.get('/twice/restart') ?? [];
    expect(second - first).toBeGreaterThanOrEqual(before.retries[0].wait_ms - 10);
  });

  test('does not hammer a service that is dead: its host is left alone, and tried again by one request at a time', async () => {
    const id = await workflow('/dead', { max_attempts: 1 });
    const runs: Json[] = [];
    for (let count = 0; count < 30; count += 1) runs.push(await run(id));
    expect(asked.get('/dead')).toHaveLength(10);
    expect(runs.map((one) => one.error.code)).toEqual([
      ...Array.from({ length: 10 }, () => 'STATUS_503'),
      ...Array.from({ length: 20 }, () => 'CIRCUIT_OPEN'),
    ]);
    expect(runs.at(-1).error).toMatchObject({ retryable: true, details: { host: `127.0.0.1:${upstream.port}` } });
    const metrics = await host.request('GET', '/metrics');
    expect(metrics.body).toMatch(/^goflow_circuits_open 1$/m);
    expect(metrics.body).toMatch(/^goflow_circuit_refusals_total 20$/m);
    const ready = await host.request('GET', '/readyz');
    expect(ready).toMatchObject({
      status: 200,
      body: { checks: { circuits: { detail: expect.stringContaining('1 ') } } },
    });
    // A run with retries waits for the probe, which finds the service well.
    const back = await workflow('/twice', { max_attempts: 5, backoff_ms: 1 });
    expect(await run(back)).toMatchObject({ status: 'succeeded', output: { attempt: 2 } });
    expect((await host.request('GET', '/metrics')).body).toMatch(/^goflow_circuits_open 0$/m);
  });
});
