import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_RUN_EGRESS, type RunRecord, type StepRecord } from '../../src/core/records.ts';
import { timelineOf } from '../../src/run/timeline.ts';
import { RunTrail } from '../../src/run/trail.ts';
import { RUN } from '../http/harness.ts';
import {
  addHttpWorkflow,
  cleanUp,
  startHost,
  startUpstream,
  type Json,
  type RunningHost,
  type Upstream,
} from '../support/running-host.ts';

const at = (ms: number): string => new Date(Date.parse('2026-01-31T12:00:00.000Z') + ms).toISOString();

const STEP: StepRecord = {
  id: 'main',
  action: 'send',
  plugin: 'mail',
  plugin_version: '1.0.0',
  plugin_digest: 'sha256-x',
  status: 'succeeded',
  started_at: at(100),
  finished_at: at(1000),
  duration_ms: 900,
  attempt: 2,
  output: null,
  error: null,
};

const REQUEST = {
  step_id: 'main',
  attempt: 1,
  kind: 'http' as const,
  method: 'GET',
  host: 'api.example.com',
  port: 443,
  address: '203.0.113.1',
  rule: 'api.example.com',
  status: 503,
  bytes_sent: 0,
  bytes_received: 3,
  error: null,
};

const ENDED: RunRecord = {
  ...RUN,
  created_at: at(0),
  started_at: at(100),
  finished_at: at(1010),
  duration_ms: 1010,
  steps: [STEP],
  retries: [
    { step_id: 'main', attempt: 1, started_at: at(100), duration_ms: 300, code: 'NETWORK_ERROR', wait_ms: 200 },
  ],
  egress: [
    { ...REQUEST, started_at: at(150), duration_ms: 200 },
    { ...REQUEST, started_at: at(250), duration_ms: 100, attempt: 1 },
    { ...REQUEST, started_at: at(700), duration_ms: 250, attempt: 2, status: 200 },
  ],
};

describe('the timeline of a run', () => {
  test('has its stretches of time in order, each attempt and each pause', () => {
    const { events } = timelineOf(ENDED, 5000);
    expect(events.map(({ kind, offset_ms, duration_ms }) => [kind, offset_ms, duration_ms])).toEqual([
      ['queued', 0, 100],
      ['step', 100, 900],
      ['attempt', 100, 300],
      ['request', 150, 200],
      ['request', 250, 100],
      ['pause', 400, 200],
      ['attempt', 600, 400],
      ['request', 700, 250],
    ]);
    expect(events[2]).toMatchObject({ attempt: 1, status: 'failed', code: 'NETWORK_ERROR', target: 'mail/send' });
    expect(events[7]).toMatchObject({ attempt: 2, status: '200', target: 'GET api.example.com:443' });
  });

  test('says where the budget went: disjoint parts that add up', () => {
    const { budget } = timelineOf(ENDED, 5000);
    expect(budget).toEqual({
      total_ms: 5000,
      used_ms: 1010,
      left_ms: 3990,
      queued_ms: 100,
      requests_ms: 450,
      connectors_ms: 250,
      pauses_ms: 200,
      host_ms: 10,
    });
  });

  test('of a run that goes on ends now', () => {
    const running: RunRecord = {
      ...ENDED,
      status: 'running',
      finished_at: null,
      duration_ms: null,
      retries: [],
      egress: [],
      steps: [{ ...STEP, status: 'running', finished_at: null, duration_ms: null, attempt: 1 }],
    };
    const { events, budget } = timelineOf(running, 1000, Date.parse(at(2000)));
    expect(events.at(-1)).toMatchObject({ kind: 'attempt', offset_ms: 100, duration_ms: null });
    expect(budget).toMatchObject({ used_ms: 2000, left_ms: 0, queued_ms: 100, connectors_ms: 1900 });
  });

  test('of a run that still waits, or whose workflow is gone, is a timeline too', () => {
    const waiting: RunRecord = { ...RUN, status: 'queued', created_at: at(0), started_at: null };
    const { events, budget } = timelineOf(waiting, null, Date.parse(at(50)));
    expect(events).toEqual([expect.objectContaining({ kind: 'queued', duration_ms: null })]);
    expect(budget).toMatchObject({ total_ms: null, left_ms: null, used_ms: 50, queued_ms: 50, host_ms: 0 });
  });
});

test('what a run reached is kept up to a limit, then counted', () => {
  const trail = new RunTrail({});
  const record = { ...REQUEST, bytesSent: 0, bytesReceived: 0, durationMs: 1, host: 'secret.example.com' };
  for (let i = 0; i < MAX_RUN_EGRESS + 7; i++)
    trail.egressFinished('main', 1, record, (text) => text.replace('secret', '***'));
  const { egress, egress_dropped: dropped } = trail.record();
  expect([egress?.length, dropped, egress?.[0]?.host]).toEqual([MAX_RUN_EGRESS, 7, '***.example.com']);
});

describe('GET /api/runs/:id/trace of a real run', () => {
  let host: RunningHost;
  let upstream: Upstream;
  let run: Json;

  beforeAll(async () => {
    upstream = await startUpstream((req, res) => {
      // The first request breaks off, which is worth a retry.
      if (upstream.seen.length === 1) req.socket.destroy();
      else res.end('hello');
    });
    host = await startHost({ env: { GOFLOW_EGRESS_ALLOW_PRIVATE: `127.0.0.1:${upstream.port}` } });
    const retry = { max_attempts: 3, backoff_ms: 50 };
    const id = await addHttpWorkflow(host, upstream.port, { retry, execution_timeout: 60 });
    run = (await host.request('POST', `/api/workflows/${id}/trigger?wait=30`, {})).body;
  });
  afterAll(cleanUp);

  test('the record says what was reached, by which rule, and what was tried again', async () => {
    expect(run.status, JSON.stringify(run.error)).toBe('succeeded');
    expect(run.egress).toHaveLength(2);
    expect(run.egress[0]).toMatchObject({ attempt: 1, status: null, error: { code: 'NETWORK_ERROR' } });
    expect(run.egress[1]).toMatchObject({
      step_id: 'main',
      attempt: 2,
      kind: 'http',
      method: 'GET',
      host: '127.0.0.1',
      address: '127.0.0.1',
      port: upstream.port,
      status: 200,
      bytes_received: 5,
      error: null,
    });
    expect(run.egress[1].rule).toContain(String(upstream.port));
    expect(run.retries).toEqual([expect.objectContaining({ step_id: 'main', attempt: 1, code: 'NETWORK_ERROR' })]);
    expect((await host.request('GET', `/api/runs/${run.id}`)).body).toEqual(run);
    const list = await host.request('GET', '/api/runs');
    expect(list.body.items[0].egress).toBeUndefined();
  });

  test('the timeline agrees with the record', async () => {
    const { status, body } = await host.request('GET', `/api/runs/${run.id}/trace`);
    expect(status).toBe(200);
    const kinds = body.events.map(({ kind }: Json) => kind);
    expect(kinds.filter((kind: string) => kind === 'attempt')).toHaveLength(2);
    expect(kinds.filter((kind: string) => kind === 'request')).toHaveLength(2);
    expect(body).toMatchObject({ run_id: run.id, trace_id: run.trace_id, status: 'succeeded', requests_dropped: 0 });
    const { budget } = body;
    expect([budget.total_ms, budget.used_ms]).toEqual([60_000, run.duration_ms]);
    const parts = budget.queued_ms + budget.requests_ms + budget.connectors_ms + budget.pauses_ms + budget.host_ms;
    // Times of records are whole milliseconds.
    expect(Math.abs(parts - budget.used_ms)).toBeLessThan(20);
    expect((await host.request('GET', '/api/runs/run_none/trace')).status).toBe(404);
  });
});
