import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHttpMetrics, processFamilies } from '../../src/http/metrics.ts';
import { watchEventLoop } from '../../src/metrics/event-loop.ts';
import { hostFamilies } from '../../src/metrics/host-families.ts';
import { createRunMeters } from '../../src/metrics/run-meters.ts';
import { StoreMeter } from '../../src/metrics/store-meter.ts';
import {
  addHttpWorkflow,
  addWorkflow,
  cleanUp,
  ROOT,
  startHost,
  startUpstream,
  tempDir,
  until,
  type Json,
  type RunningHost,
} from '../support/running-host.ts';

const DOCS = path.join(ROOT, 'docs/observability');
const read = (name: string): string => readFileSync(path.join(DOCS, name), 'utf8');
const missing = (program: string): boolean => spawnSync(program, ['--version']).error !== undefined;

/** Every name that a sample of `GET /metrics` can have. */
function knownNames(): Set<string> {
  const eventLoop = watchEventLoop();
  const families = [
    ...createHttpMetrics().families(),
    ...processFamilies(),
    ...createRunMeters().families(),
    ...new StoreMeter().families(),
    ...eventLoop.families(),
    ...hostFamilies({
      version: '1',
      admission: { running: 0, queued: 0 },
      engine: { stats: () => ({ restarts: 0, engines: [] }) },
      broker: { circuits: () => ({ open: [], opened: 0, refused: 0 }) },
      pluginStates: () => [],
    }),
  ];
  eventLoop.stop();
  const names = families.flatMap(({ name, type }) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  return new Set(names);
}

function namesIn(text: string): Set<string> {
  return new Set([...text.matchAll(/\b(?:goflow|nodejs|process)_[a-z0-9_]+\b/g)].map(([name]) => name));
}

const dashboard = JSON.parse(read('grafana/goflow-dashboard.json')) as Json;
const queries = (): string[] =>
  dashboard.panels.flatMap((panel: Json) => panel.targets.map((target: Json) => target.expr as string));

describe('the dashboard and the alert rules', () => {
  test('name only metrics that the host has', () => {
    const known = knownNames();
    const expressions = [...read('prometheus/rules.yml').matchAll(/expr: (?:>-\n((?: {10,}.*\n)+)|(.*))/g)];
    expect(expressions.length).toBe(11);
    for (const text of [...expressions.map(([whole]) => whole), ...queries()])
      for (const name of namesIn(text)) expect(known).toContain(name);
  });

  test('show every family of the host but those of the process', () => {
    const used = namesIn(`${read('prometheus/rules.yml')}\n${queries().join('\n')}`);
    const unused = [...knownNames()].filter(
      (name) => !used.has(name) && /_(?:total|bucket|bytes)$|^goflow_(?!.*_(?:sum|count)$)/.test(name),
    );
    // These explain others; they are in no panel of their own.
    expect(unused.sort()).toEqual([
      'goflow_build_info',
      'goflow_circuit_opens_total',
      'goflow_circuit_refusals_total',
      'goflow_circuits_open',
      'goflow_egress_duration_seconds_total',
      'goflow_engine_pools',
      'goflow_engine_processes',
      'goflow_plugins',
      'goflow_runs_accepted_total',
      'goflow_step_retries_total',
      'goflow_store_batch_size_bucket',
      'goflow_store_operations_total',
      'nodejs_heap_size_used_bytes',
      'process_cpu_seconds_total',
    ]);
  });

  test('are well formed: each panel has its place, its unit and its queries', () => {
    const ids = dashboard.panels.map(({ id }: Json) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const panel of dashboard.panels) {
      expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
      expect(panel.fieldConfig.defaults.unit).toMatch(/./);
      expect(panel.targets.length).toBeGreaterThan(0);
    }
  });

  test.skipIf(missing('promtool'))('satisfy promtool, and fire when they should', async () => {
    const dir = await tempDir();
    const rules = queries().map((expr, i) => ({
      record: `panel:${i}`,
      expr: expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(job|instance)/g, 'x'),
    }));
    writeFileSync(path.join(dir, 'panels.yml'), JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    for (const args of [
      ['check', 'rules', path.join(DOCS, 'prometheus/rules.yml')],
      ['check', 'rules', path.join(dir, 'panels.yml')],
      ['test', 'rules', path.join(DOCS, 'prometheus/rules.test.yml')],
    ]) {
      const done = spawnSync('promtool', args, { encoding: 'utf8' });
      expect(done.status, done.stdout + done.stderr).toBe(0);
    }
  });
});

describe('a host beside the tools', () => {
  const key = 'prometheus-test-key-0123456789';
  let host: RunningHost;
  beforeAll(async () => {
    const upstream = await startUpstream((_req, res) => void res.end('fine'));
    host = await startHost({
      env: { GOFLOW_ADMIN_KEY: key, GOFLOW_EGRESS_ALLOW_PRIVATE: '127.0.0.0/8', GOFLOW_LOG_LEVEL: 'debug' },
    });
    const asAdmin: RunningHost = {
      ...host,
      request: (method, target, body, headers) =>
        host.request(method, target, body, { authorization: `Bearer ${key}`, ...headers }),
    };
    const ok = await addHttpWorkflow(asAdmin, upstream.port);
    const fails = await addWorkflow(asAdmin, {
      name: 'Fails',
      action: 'http_request',
      config: { url: 'http://127.0.0.1:1/' },
      credential: `loopback-${upstream.port}`,
      retry: { max_attempts: 2, backoff_ms: 1 },
    });
    const slow = await addWorkflow(asAdmin, {
      name: 'Slow',
      action: 'testing/testing',
      config: { delay_ms: 20_000 },
      execution_timeout: 0.3,
    });
    for (const id of [ok, fails, slow])
      await asAdmin.request('POST', `/api/workflows/${id}/trigger?wait=30`, { parameters: {} });
    await asAdmin.request('GET', '/api/runs/none');
    await host.request('GET', '/api/runs');
  });
  afterAll(cleanUp);

  test('every field of its log lines is in the index template and keeps its type', async () => {
    await until(
      () => host.lines.some(({ msg }) => msg === 'work ended'),
      (ended) => ended,
    );
    const template = JSON.parse(read('elastic/index-template.json')) as Json;
    const properties = template.template.mappings.properties as Record<string, Json>;
    const unmapped = new Set<string>();
    for (const line of host.lines) {
      // Where an operator would look; what else is there is kept in _source.
      if (!['http', 'executor', 'plugin', 'broker', 'sandbox'].includes(line['component'])) continue;
      for (const [name, value] of Object.entries(line)) {
        if (name === 'timestamp' || value === undefined) continue;
        const [first, second] = name.split('.') as [string, string?];
        const mapping = second === undefined ? properties[first] : properties[first]?.properties?.[second];
        if (mapping === undefined) unmapped.add(name);
        else if (['integer', 'long', 'double'].includes(mapping.type) && value !== null)
          expect(typeof value, name).toBe('number');
      }
    }
    expect([...unmapped]).toEqual([]);
  });

  test('the fields that Alloy takes out of a line are those of the log', () => {
    const [, expressions] = /expressions = \{([^}]*)\}/.exec(read('loki/config.alloy')) as unknown as [string, string];
    const wanted = [...expressions.matchAll(/= "(?:\\")?([a-z_.]+)(?:\\")?"/g)].map(([, name]) => name);
    const there = new Set(host.lines.flatMap((line) => Object.keys(line)));
    expect(wanted.length).toBeGreaterThan(5);
    for (const name of wanted) expect(there).toContain(name);
  });

  test.skipIf(missing('prometheus'))('a real Prometheus scrapes it and loads the rules', async () => {
    const dir = await tempDir();
    const port = 20_000 + Math.floor(Math.random() * 20_000);
    writeFileSync(path.join(dir, 'goflow.key'), key);
    copyFileSync(path.join(DOCS, 'prometheus/rules.yml'), path.join(dir, 'rules.yml'));
    const target = new URL(host.host.url).host;
    const config = read('prometheus/prometheus.yml').replace('127.0.0.1:8080', target).replaceAll('15s', '1s');
    writeFileSync(path.join(dir, 'prometheus.yml'), config);
    const child = spawn(
      'prometheus',
      [
        `--config.file=${dir}/prometheus.yml`,
        `--storage.tsdb.path=${dir}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    const ended = new Promise((resolve) => child.once('exit', resolve));
    try {
      const ask = async (query: string): Promise<Json[]> => {
        const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
        const answer = await fetch(url).catch(() => null);
        return answer?.ok === true ? ((await answer.json()) as Json).data.result : [];
      };
      const runs = await until(
        () => ask('goflow_runs_total{status="succeeded"}'),
        (found) => found.length > 0,
      );
      expect(runs[0]).toMatchObject({ metric: { job: 'goflow', instance: target }, value: [expect.any(Number), '1'] });
      expect((await ask('goflow_action_calls_total{plugin="http"}')).length).toBeGreaterThan(0);
      const rules = (await (await fetch(`http://127.0.0.1:${port}/api/v1/rules`)).json()) as Json;
      const health = rules.data.groups.flatMap((group: Json) => group.rules.map((rule: Json) => rule.health));
      expect(health.length).toBe(11);
      expect(health).not.toContain('err');
    } finally {
      child.kill();
      await ended;
    }
  });
});
