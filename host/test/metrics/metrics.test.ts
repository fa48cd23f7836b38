import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VERSION } from '../../src/core/version.ts';
import type { RunRecord } from '../../src/core/records.ts';
import { renderMetrics } from '../../src/http/metrics.ts';
import { createRunMeters } from '../../src/metrics/run-meters.ts';
import {
  addHttpWorkflow,
  addWorkflow,
  cleanUp,
  ROOT,
  startHost,
  startUpstream,
  type RunningHost,
} from '../support/running-host.ts';
import { startHost as startHttp } from '../http/harness.ts';
import { parseExposition, type Family } from './exposition.ts';

describe('GET /metrics of a host that has worked', () => {
  let host: RunningHost;
  let text: string;
  let families: Map<string, Family>;

  function value(name: string, labels: Record<string, string> = {}): number | undefined {
    const samples = [...families.values()].flatMap((family) => family.samples);
    return samples.find(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([key, wanted]) => sample.labels[key] === wanted),
    )?.value;
  }

  beforeAll(async () => {
    const upstream = await startUpstream((req, res) => {
      res.statusCode = req.url === '/missing' ? 404 : 200;
      res.end('hello');
    });
    host = await startHost({ env: { GOFLOW_EGRESS_ALLOW_PRIVATE: `127.0.0.1:${upstream.port}` } });
    const asks = await addHttpWorkflow(host, upstream.port);
    const fails = await addWorkflow(host, {
      name: 'Wrong result',
      action: 'transform',
      config: { expression: '$error("no")' },
    });
    for (const path of ['/', '/', '/missing'])
      await host.request('POST', `/api/workflows/${asks}/trigger?wait=20`, { parameters: { path } });
    await host.request('POST', `/api/workflows/${fails}/trigger?wait=20`, {});
    text = (await host.request('GET', '/metrics')).body as string;
    families = parseExposition(text);
  });
  afterAll(cleanUp);

  test('is well formed, with conventional names and base units', () => {
    expect(families.size).toBeGreaterThan(30);
    for (const family of families.values()) expect(family.help).toMatch(/\.$/);
  });

  test('counts runs by status, by what triggered them, and by why they ended', () => {
    expect(value('goflow_runs_accepted_total', { trigger: 'api' })).toBe(4);
    expect(value('goflow_runs_total', { status: 'succeeded' })).toBe(3);
    expect(value('goflow_runs_total', { status: 'failed' })).toBe(1);
    expect(value('goflow_runs_total', { status: 'timed_out' })).toBe(0);
    expect(value('goflow_run_ends_total', { reason: 'success' })).toBe(3);
    expect(value('goflow_run_ends_total', { reason: 'CONNECTOR_ERROR' })).toBe(1);
    expect(value('goflow_run_duration_seconds_count', { status: 'succeeded' })).toBe(3);
    expect([value('goflow_runs_running'), value('goflow_runs_queued')]).toEqual([0, 0]);
  });

  test('counts and times each action of each plugin', () => {
    const http = { plugin: 'http', action: 'http_request' };
    expect(value('goflow_action_calls_total', { ...http, status: 'succeeded' })).toBe(3);
    expect(value('goflow_action_calls_total', { plugin: 'transform', status: 'failed' })).toBe(1);
    expect(value('goflow_action_duration_seconds_count', http)).toBe(3);
    expect(value('goflow_action_duration_seconds_sum', http)).toBeGreaterThan(0);
  });

  test('counts what went out by plugin and class of status, with its bytes', () => {
    expect(value('goflow_egress_requests_total', { plugin: 'http', status: '2xx' })).toBe(2);
    expect(value('goflow_egress_requests_total', { plugin: 'http', status: '4xx' })).toBe(1);
    expect(value('goflow_egress_received_bytes_total', { plugin: 'http' })).toBe(15);
    expect(value('goflow_egress_sent_bytes_total', { plugin: 'http' })).toBe(0);
  });

  test('shows engine, store, event loop, process and version', () => {
    expect(value('goflow_engine_processes')).toBeGreaterThanOrEqual(1);
    expect(value('goflow_engine_restarts_total')).toBe(0);
    expect(value('goflow_engine_resident_memory_bytes')).toBeGreaterThan(0);
    expect(value('goflow_store_operations_total', { operation: 'runs.accept' })).toBe(4);
    expect(value('goflow_store_operation_duration_seconds_count')).toBeGreaterThan(8);
    expect(value('goflow_store_batch_size_count')).toBeGreaterThan(4);
    expect(value('goflow_store_failures_total')).toBe(0);
    expect(value('nodejs_eventloop_lag_max_seconds')).toBeGreaterThanOrEqual(0);
    expect(value('goflow_plugins', { state: 'enabled' })).toBe(4);
    expect(value('goflow_build_info', { version: VERSION })).toBe(1);
    expect(value('goflow_http_requests_total', { route: '/api/workflows/:id/trigger', status: '200' })).toBe(4);
  });

  test.skipIf(spawnSync('promtool', ['--version']).error !== undefined)('satisfies promtool', () => {
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect([checked.status, checked.stderr]).toEqual([0, '']);
  });
});

describe('run meters', () => {
  test('stay bounded, whatever plugins call themselves', () => {
    const meters = createRunMeters();
    for (let i = 0; i < 10_000; i++) meters.actionFinished(`plugin-${i}`, 'send', 'succeeded', 1);
    const families = parseExposition(renderMetrics(meters.families()));
    const calls = families.get('goflow_action_calls_total')?.samples ?? [];
    expect(calls.length).toBeLessThanOrEqual(4001);
    expect(calls.find(({ labels }) => labels['plugin'] === 'other')?.value).toBe(6000);
  });

  test('count codes that a connector made up under one name', () => {
    const meters = createRunMeters();
    const error = { code: 'MY_OWN', message: '', retryable: false };
    for (let i = 0; i < 3; i++)
      meters.runEnded({
        status: 'failed',
        ended_by: null,
        duration_ms: 1,
        error: { ...error, code: `MY_OWN_${i}` },
      } as RunRecord);
    expect(renderMetrics(meters.families())).toContain('goflow_run_ends_total{reason="CONNECTOR_ERROR"} 3\n');
  });

  test('show a thousand plugins within 20 ms', () => {
    const meters = createRunMeters();
    for (let i = 0; i < 1000; i++) meters.actionFinished(`plugin-${i}`, 'send', 'succeeded', i);
    renderMetrics(meters.families());
    const times = Array.from({ length: 10 }, () => {
      const begun = performance.now();
      renderMetrics(meters.families());
      return performance.now() - begun;
    });
    // The best of ten: the machine may be busy with something else.
    expect(Math.min(...times)).toBeLessThan(20);
  });
});

test("a tenant's admin sees no figures by plugin: plugins may be another tenant's", async () => {
  const meters = createRunMeters();
  meters.actionFinished('secret-crm', 'send', 'succeeded', 1);
  meters.stepRetried();
  const host = await startHttp({ locked: true, services: { metrics: () => meters.families() } });
  const { text } = await host.send('GET', '/metrics', { headers: { authorization: 'Bearer admin' } });
  expect(text).toContain('goflow_step_retries_total 1');
  expect(text).not.toContain('secret-crm');
  parseExposition(text);
});

test('the version is that of the package', () => {
  const manifest = JSON.parse(readFileSync(path.join(ROOT, 'host/package.json'), 'utf8')) as { version: string };
  expect(VERSION).toBe(manifest.version);
});
