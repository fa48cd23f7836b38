import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createLogging } from '../../src/core/log.ts';
import { openTracing } from '../../src/tracing/open.ts';
import { bundleText } from '../plugin/support/bundle.ts';
import { samplerOf } from '../../src/tracing/sampling.ts';
import {
  addHttpWorkflow,
  addWorkflow,
  cleanUp,
  startHost,
  startUpstream,
  until,
  type Json,
  type RunningHost,
  type Upstream,
} from '../support/running-host.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: Record<string, Json> }>;
}

/** Every span that a receiver of OTLP/HTTP in JSON got. */
function spansOf(receiver: Upstream): Span[] {
  return receiver.seen.flatMap(({ body }) =>
    (JSON.parse(body) as Json).resourceSpans.flatMap((resource: Json) =>
      resource.scopeSpans.flatMap((scope: Json) => scope.spans as Span[]),
    ),
  );
}

function attribute(span: Span | undefined, key: string): Json {
  const value = span?.attributes.find((entry) => entry.key === key)?.value;
  return value === undefined ? undefined : Object.values(value)[0];
}

describe('with OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  let receiver: Upstream;
  let upstream: Upstream;
  let host: RunningHost;
  let workflow: string;
  const variables = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_BSP_SCHEDULE_DELAY', 'OTEL_RESOURCE_ATTRIBUTES'];

  beforeAll(async () => {
    receiver = await startUpstream((_req, res) => void res.writeHead(200).end('{}'));
    upstream = await startUpstream((_req, res) => void res.end('fine'));
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${receiver.port}`;
    process.env['OTEL_BSP_SCHEDULE_DELAY'] = '100';
    process.env['OTEL_RESOURCE_ATTRIBUTES'] = 'deployment.environment.name=test';
    host = await startHost({ env: { GOFLOW_EGRESS_ALLOW_PRIVATE: '127.0.0.0/8' } });
    workflow = await addHttpWorkflow(host, upstream.port);
  });
  afterAll(async () => {
    for (const name of variables) delete process.env[name];
    await cleanUp();
  });

  async function trigger(id: string, headers: Record<string, string>, parameters: object = {}): Promise<Json> {
    const answer = await host.request('POST', `/api/workflows/${id}/trigger?wait=30`, { parameters }, headers);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.body;
  }

  test('a run is one trace from the request to the upstream, joined with that of its caller', async () => {
    const run = await trigger(workflow, { traceparent: `00-${TRACE}-${CALLER}-01` });
    expect(run.status, JSON.stringify(run.error)).toBe('succeeded');
    const spans = await until(
      () => spansOf(receiver).filter(({ traceId }) => traceId === TRACE),
      (found) => found.some(({ kind }) => kind === 2),
    );
    const named = (name: string) => spans.find((span) => span.name.startsWith(name));
    const server = named('POST /api/workflows/:id/trigger');
    const [root, step, call, sandbox, request] = ['run ', 'step ', 'call ', 'sandbox', 'GET'].map(named);
    expect(server?.parentSpanId).toBe(CALLER);
    expect(root?.parentSpanId).toBe(server?.spanId);
    expect(step?.parentSpanId).toBe(root?.spanId);
    expect(call?.parentSpanId).toBe(step?.spanId);
    expect(sandbox?.parentSpanId).toBe(call?.spanId);
    expect(request?.parentSpanId).toBe(call?.spanId);
    expect([server?.kind, root?.kind, request?.kind]).toEqual([2, 1, 3]);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    // What the upstream got names the very request.
    expect(upstream.seen.at(-1)?.headers['traceparent']).toBe(`00-${TRACE}-${request?.spanId}-01`);

    expect(attribute(root, 'goflow.run_id')).toBe(run.id);
    expect(attribute(call, 'goflow.plugin')).toBe('http');
    expect(attribute(request, 'server.port')).toBe(upstream.port);
    expect(attribute(request, 'http.response.status_code')).toBe(200);
    for (const span of spans) {
      expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
      expect(Math.abs(Number(BigInt(span.startTimeUnixNano) / 1_000_000n) - Date.now())).toBeLessThan(600_000);
    }
    const resource = (JSON.parse(receiver.seen[0]?.body as string) as Json).resourceSpans[0].resource as Json;
    const names = Object.fromEntries(resource.attributes.map((one: Json) => [one.key, Object.values(one.value)[0]]));
    expect(names).toMatchObject({ 'service.name': 'goflow', 'deployment.environment.name': 'test' });
  });

  test('a trace holds together across two services', async () => {
    const other = await startHost({ env: { GOFLOW_EGRESS_ALLOW_PRIVATE: '127.0.0.0/8' } });
    const there = await addHttpWorkflow(other, upstream.port, { name: 'Second' });
    const port = Number(new URL(other.host.url).port);
    await host.request('POST', '/api/credentials', {
      name: 'second',
      plugin: 'http',
      values: { host: '127.0.0.1', port },
    });
    const here = await addWorkflow(host, {
      name: 'First',
      action: 'http_request',
      config: {
        method: 'POST',
        url: `${other.host.url}/api/workflows/${there}/trigger?wait=30`,
        json: { parameters: {} },
      },
      credential: 'second',
    });
    const run = await trigger(here, {});
    expect(run.output?.body?.status, JSON.stringify(run)).toBe('succeeded');
    expect(run.output.body.trace_id).toBe(run.trace_id);
    const spans = await until(
      () => spansOf(receiver).filter(({ traceId }) => traceId === run.trace_id),
      (found) => found.filter(({ kind }) => kind === 2).length === 2,
    );
    const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined || parentSpanId === '');
    expect(roots.map(({ name }) => name)).toEqual(['POST /api/workflows/:id/trigger']);
    const ids = new Set(spans.map(({ spanId }) => spanId));
    for (const span of spans) if (!roots.includes(span)) expect(ids).toContain(span.parentSpanId);
    expect(spans.map(({ name }) => name)).toEqual(expect.arrayContaining(['run First', 'run Second']));
  });

  test('a connector adds spans of its own, bounded, below its call', async () => {
    const code = `exports.default = { name: 'spans', version: '1.0.0', actions: { work: { async run(ctx) {
      const pages = await ctx.span('read pages', async () => { await ctx.sleep(30); return 3; });
      const thrown = await ctx.span('x'.repeat(300), () => { throw new TypeError('no'); }).catch((error) => error.name);
      for (let i = 0; i < 150; i++) await ctx.span('small', () => i);
      return { pages, thrown };
    } } } };`;
    const installed = await fetch(`${host.host.url}/api/plugins`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: bundleText({ name: 'spans', actions: { work: {} }, code }),
    });
    expect(installed.status, await installed.text()).toBe(201);
    const run = await trigger(await addWorkflow(host, { name: 'Spans', action: 'spans/work' }), {});
    expect(run.output, JSON.stringify(run.error)).toEqual({ pages: 3, thrown: 'TypeError' });
    const spans = await until(
      () => spansOf(receiver).filter(({ traceId }) => traceId === run.trace_id),
      (found) => found.some(({ kind }) => kind === 2),
    );
    const call = spans.find(({ name }) => name === 'call spans/work');
    const own = spans.filter(({ name }) => name === 'read pages' || name === 'small' || name.startsWith('xxx'));
    expect(own.length).toBe(100);
    expect(new Set(own.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([call?.spanId]));
    const [pages] = own.filter(({ name }) => name === 'read pages') as [Span];
    expect(BigInt(pages.endTimeUnixNano) - BigInt(pages.startTimeUnixNano)).toBeGreaterThan(20_000_000n);
    const [failed] = own.filter(({ name }) => name.startsWith('xxx')) as [Span];
    expect([failed.name.length, failed.status.code]).toEqual([128, 2]);
  });

  test('what fails is marked with its code, and what its caller does not record is not sent', async () => {
    const fails = await addWorkflow(host, {
      name: 'Fails',
      action: 'transform',
      config: { expression: '$error("no")' },
    });
    const failed = await trigger(fails, {});
    const quiet = await trigger(workflow, { traceparent: `00-${'a'.repeat(32)}-${CALLER}-00` });
    expect(quiet.trace_id).toBe('a'.repeat(32));
    expect(upstream.seen.at(-1)?.headers['traceparent']).toMatch(/^00-a{32}-[0-9a-f]{16}-00$/);
    const spans = await until(
      () => spansOf(receiver),
      (found) => found.some(({ traceId, kind }) => traceId === failed.trace_id && kind === 2),
    );
    const run = spans.find(({ traceId, name }) => traceId === failed.trace_id && name === 'run Fails');
    expect([run?.status.code, attribute(run, 'error.type')]).toEqual([2, failed.error.code]);
    expect(spans.some(({ traceId }) => traceId === 'a'.repeat(32))).toBe(false);
  });

  test('probes and scrapes are no part of it, and the last spans are sent when the host ends', async () => {
    await host.request('GET', '/healthz');
    await host.request('GET', '/metrics');
    const before = receiver.seen.length;
    const last = await host.request('GET', '/api/actions');
    await host.stop();
    const spans = spansOf(receiver);
    expect(receiver.seen.length).toBeGreaterThan(before);
    expect(spans.some(({ traceId }) => traceId === last.headers.get('x-trace-id'))).toBe(true);
    expect(spans.some(({ name }) => /healthz|metrics/.test(name))).toBe(false);
    for (const { headers } of receiver.seen) expect(headers['content-type']).toBe('application/json');
  });
});

describe('turning it on', () => {
  const log = createLogging({ level: 'error', levels: {}, write: () => {} }).for('host');
  afterEach(cleanUp);

  test('is for an endpoint only, and OTEL_SDK_DISABLED and OTEL_TRACES_EXPORTER=none turn it off', async () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
    expect(await openTracing({}, '1', log)).toBeNull();
    expect(await openTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, '1', log)).toBeNull();
    expect(await openTracing({ ...endpoint, OTEL_SDK_DISABLED: 'true' }, '1', log)).toBeNull();
    expect(await openTracing({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }, '1', log)).toBeNull();
    await expect(openTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, '1', log)).rejects.toThrow(
      'OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" is not an http or https URL',
    );
  });

  test('a receiver that is away costs spans, never a request', async () => {
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = 'http://127.0.0.1:9';
    process.env['OTEL_BSP_EXPORT_TIMEOUT'] = '500';
    try {
      const host = await startHost();
      expect((await host.request('GET', '/api/actions')).status).toBe(200);
      await host.stop();
      expect(host.lines.some(({ msg }) => msg === 'the last spans could not be sent')).toBe(true);
    } finally {
      delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
      delete process.env['OTEL_BSP_EXPORT_TIMEOUT'];
    }
  });
});

describe('OTEL_TRACES_SAMPLER', () => {
  test('decides by the trace id alone, and by the caller where it is parent based', () => {
    const ids = Array.from({ length: 4000 }, () => crypto.randomUUID().replaceAll('-', ''));
    const share = (name: string, argument?: string, sampled = true) =>
      ids.filter((id) => samplerOf(name, argument)?.(id, sampled)).length / ids.length;
    expect([share('always_on'), share('always_off')]).toEqual([1, 0]);
    expect(share('traceidratio', '0.25')).toBeCloseTo(0.25, 1);
    expect([share('traceidratio', '0'), share('traceidratio', '1')]).toEqual([0, 1]);
    expect(share('parentbased_traceidratio', '1', false)).toBe(0);
    expect(samplerOf('jaeger_remote', undefined)).toBeNull();
    expect(samplerOf(undefined, undefined)?.('a', false)).toBe(false);
  });
});
