import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConnector } from '../support/connector.ts';
import { cleanUp, startHost, type HostProcess, type Json } from '../support/host-process.ts';

const CONNECTOR = `
import { ConnectorError, defineAction, defineConnector } from '@goflow/plugin-sdk';
const input = { type: 'object' } as const;
const types = (holder, names) => Object.fromEntries(names.map((name) => [name, typeof holder[name]]));
export default defineConnector({
  name: 'probe', version: '1.0.0', title: 'Probe', description: 'Tries what the contract says.',
  permissions: { storage: true },
  actions: {
    look: defineAction({ title: 'Look', input, async run(ctx, input) {
      const { deadline, traceId, runId, workflowId, stepId, attempt, idempotencyKey, tenantId, userId } = ctx;
      return {
        context: types(ctx, input.context), globals: types(globalThis, input.globals),
        values: { traceId, runId, workflowId, stepId, attempt, idempotencyKey, tenantId, userId },
        left: [Math.round((deadline - Date.now()) / 1000), Math.round(ctx.remaining() / 1000)],
        traceparent: ctx.traceparent,
      };
    } }),
    keep: defineAction({ title: 'Keep', input, async run({ storage }) {
      const nothing = await storage.get('b');
      for (const key of ['b', 'a/2', 'a/1']) await storage.set(key, { key });
      await storage.delete('b');
      await storage.delete('never there');
      return { nothing: nothing === undefined, all: await storage.list(''), some: await storage.list('a/1'), one: await storage.get('a/2') };
    } }),
    fail: defineAction({ title: 'Fail', input, async run(ctx, { how }) {
      switch (how) {
        case 'own': throw new ConnectorError('NO_STOCK', 'nothing left', { retryable: true, details: { left: 0 } });
        case 'error': throw new TypeError('a defect');
        case 'string': throw 'a text';
        case 'nothing': throw undefined;
        case 'bigint': return { a: [1n] };
        case 'circle': { const a = {}; a.a = a; return a; }
        case 'large': return 'x'.repeat(5 * 1024 * 1024 + 1);
        case 'fetch': return (await fetch('https://api.example.com/')).status;
        case 'connect': return await ctx.connect({ hostname: 'smtp.example.com', port: 25 }).opened;
        case 'ftp': return (await ctx.fetch('ftp://example.com/')).status;
        case 'no url': return (await ctx.fetch('example')).status;
        case 'eval': return (0, eval)('1');
        case 'memory': { const all = []; for (;;) all.push(new Array(100_000).fill(all.length)); }
        case 'loop': for (;;);
      }
    } }),
    typed: defineAction({ title: 'Typed', input, output: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } },
      async run(ctx, { n }) { return { n }; } }),
    again: defineAction({ title: 'Again', input, async run(ctx, { retryable, until }) {
      ctx.log.info('attempt', { attempt: ctx.attempt, key: ctx.idempotencyKey });
      if (ctx.attempt < until) throw new ConnectorError('BUSY', 'later', { retryable });
      return ctx.attempt;
    } }),
    chat: defineAction({ title: 'Chat', input, async run(ctx) {
      ctx.log.warn('x'.repeat(20_000));
      for (let i = 0; i < 1500; i++) console.log('line', i);
      return null;
    } }),
  },
});`;

let host: HostProcess;

beforeAll(async () => {
  host = await startHost();
  const bundle = await readFile(await buildConnector(CONNECTOR), 'utf8');
  expect((await host.request('POST', '/api/plugins', bundle)).body).toMatchObject({
    state: 'needs_grant',
    permissions_to_grant: { storage: true },
  });
});
afterAll(cleanUp);

async function run(action: string, config: object = {}, extra: object = {}): Promise<Json> {
  const saved = await host.request('PUT', '/api/workflows/one', { name: 'one', action, config, ...extra });
  expect(saved.status, JSON.stringify(saved.body)).toBeLessThan(300);
  const answer = await host.request('POST', '/api/workflows/one/trigger?wait=30');
  expect(answer.status).toBe(200);
  return answer.body;
}

const CONTEXT: Readonly<Record<string, readonly string[]>> = {
  object: ['signal', 'log', 'storage', 'credential'],
  number: ['deadline', 'attempt'],
  function: ['remaining', 'fetch', 'connect', 'sleep', 'progress'],
  string: ['traceId', 'traceparent', 'runId', 'workflowId', 'stepId', 'idempotencyKey', 'tenantId', 'userId'],
};
const GLOBALS =
  'AbortController Blob CompressionStream DOMException Event EventTarget File FormData Headers ReadableStream Request Response TextDecoder TextDecoderStream TextEncoder TransformStream URL URLSearchParams WritableStream atob btoa clearTimeout fetch queueMicrotask setInterval setTimeout structuredClone'.split(
    ' ',
  );
const ABSENT = ['process', 'require', 'module', 'Buffer'];

describe('a connector', () => {
  it('does not run before what it asks for is granted', async () => {
    expect((await run('look')).error.code).toBe('PERMISSION_NOT_GRANTED');
    const granted = await host.request('PUT', '/api/plugins/probe/grants', { permissions: { storage: true } });
    expect(granted.body.state).toBe('enabled');
  });

  it('has the context and the globals of the contract', async () => {
    const names = Object.values(CONTEXT).flat();
    const body = await run('look', { context: names, globals: [...GLOBALS, ...ABSENT] }, { execution_timeout: 20 });
    const wanted = Object.entries(CONTEXT).flatMap(([type, members]) => members.map((name) => [name, type]));
    expect(body.output.context).toEqual({ ...Object.fromEntries(wanted), credential: expect.any(String) as string });
    for (const name of GLOBALS) expect([name, body.output.globals[name]]).toEqual([name, 'function']);
    for (const name of ABSENT) expect([name, body.output.globals[name]]).toEqual([name, 'undefined']);
    expect(body.output.values).toEqual({
      traceId: body.trace_id,
      runId: body.id,
      workflowId: 'one',
      stepId: 'main',
      attempt: 1,
      idempotencyKey: expect.any(String) as string,
      tenantId: 'default',
      userId: 'dev',
    });
    for (const seconds of body.output.left as number[]) expect(seconds).toBeLessThanOrEqual(20);
    expect(body.output.traceparent).toMatch(new RegExp(`^00-${body.trace_id as string}-[0-9a-f]{16}-01$`));
  });

  it('keeps values', async () => {
    const { output } = await run('keep');
    expect(output).toEqual({ nothing: true, all: ['a/1', 'a/2'], some: ['a/1'], one: { key: 'a/2' } });
  });

  it.each([
    ['own', { code: 'NO_STOCK', message: 'nothing left', retryable: true, details: { left: 0 } }],
    ['error', { code: 'CONNECTOR_ERROR', message: 'a defect', retryable: false }],
    ['string', { code: 'CONNECTOR_ERROR', message: expect.stringContaining('a text') as string }],
    ['nothing', { code: 'CONNECTOR_ERROR' }],
    ['bigint', { code: 'RESULT_NOT_JSON' }],
    ['circle', { code: 'RESULT_NOT_JSON' }],
    ['large', { code: 'RESULT_TOO_LARGE' }],
    ['fetch', { code: 'EGRESS_DENIED', message: expect.stringContaining('api.example.com') as string }],
    ['connect', { code: 'EGRESS_DENIED', message: expect.stringContaining('smtp.example.com') as string }],
    ['ftp', { code: 'EGRESS_DENIED' }],
    ['no url', { code: 'CONNECTOR_ERROR', details: { name: 'TypeError' } }],
    ['eval', { code: 'CONNECTOR_ERROR' }],
    ['memory', { code: 'OUT_OF_MEMORY' }],
  ])('that fails by %s ends its run with a code', async (how, error) => {
    expect(await run('fail', { how })).toMatchObject({ status: 'failed', output: null, error });
  });

  it('that does not end is ended', async () => {
    const body = await run('fail', { how: 'loop' }, { execution_timeout: 0.3 });
    expect(body).toMatchObject({ status: 'timed_out', error: { code: 'DEADLINE_EXCEEDED' } });
  });

  it('returns what its output schema says', async () => {
    expect((await run('typed', { n: 1 })).output).toEqual({ n: 1 });
    expect((await run('typed', { n: '1' })).error.code).toBe('RESULT_INVALID');
  });

  it('is tried again for errors that say so, with the same idempotency key', async () => {
    const retry = { max_attempts: 3, backoff_ms: 1 };
    const body = await run('again', { retryable: true, until: 3 }, { retry });
    expect(body).toMatchObject({ status: 'succeeded', output: 3, attempt: 1, steps: [{ attempt: 3 }] });
    const lines = (await host.request('GET', `/api/runs/${body.id as string}/logs`)).body.items as Json[];
    expect(lines.map((line) => line.fields.attempt as number)).toEqual([1, 2, 3]);
    expect(new Set(lines.map((line) => line.fields.key as string)).size).toBe(1);
    expect((await run('again', { retryable: true, until: 4 }, { retry })).steps[0].attempt).toBe(3);
    expect((await run('again', { retryable: false, until: 2 }, { retry })).steps[0].attempt).toBe(1);
    expect((await run('again', { retryable: true, until: 2 })).steps[0].attempt).toBe(1);
  });

  it('has 1,000 log lines of 16 kB, and one that counts the rest', async () => {
    const body = await run('chat');
    const lines: Json[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = await host.request('GET', `/api/runs/${body.id as string}/logs?limit=200${query}`);
      lines.push(...(page.body.items as Json[]));
      cursor = page.body.next_cursor as string | null;
    }
    expect(lines).toHaveLength(1001);
    expect(lines[0].msg.length).toBeLessThanOrEqual(16 * 1024);
    expect(lines.at(-1).msg).toMatch(/^501 more/);
  });
});
