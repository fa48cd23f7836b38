import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cancelAtEachAwait,
  connectionLost,
  cutBody,
  eachFault,
  FAULTS,
  noAnswer,
  type OpenConnector,
  openConnector,
  serverError,
  squeezeDeadline,
  tooManyRequests,
} from '../../src/testing/index.ts';
import { project } from '../build/support.ts';

const SOURCE = `import { ConnectorError, defineAction, defineConnector } from '@goflow/plugin-sdk';
export default defineConnector({
  name: 'shop', version: '1.0.0',
  permissions: { net: ['api.example.com'], storage: true },
  credential: { type: 'object', required: ['key'], properties: { key: { type: 'string', writeOnly: true } } },
  actions: {
    order: defineAction({
      async run(ctx, input) {
        for (let attempt = 1; ; attempt++) {
          const response = await ctx.fetch('https://api.example.com/orders?x=1', {
            method: 'POST',
            headers: { authorization: 'Bearer ' + ctx.credential.key, 'content-type': 'application/json' },
            body: JSON.stringify(input),
          });
          if (response.status === 429 && attempt < 3) {
            await ctx.sleep(Number(response.headers.get('retry-after')) * 1000);
            continue;
          }
          if (!response.ok) throw new ConnectorError('SHOP_REFUSED', 'the shop answered ' + response.status, { retryable: response.status >= 500 });
          const { id } = await response.json();
          await ctx.storage.set('last', id);
          return { id, attempt };
        }
      },
    }),
    elsewhere: defineAction({ async run(ctx) { return (await ctx.fetch('https://other.example.com/')).status; } }),
    careless: defineAction({
      async run(ctx) {
        setTimeout(() => {}, 60_000);
        setInterval(() => {}, 60_000);
        void ctx.fetch('https://api.example.com/slow').catch(() => {});
        await ctx.fetch('https://api.example.com/long');
      },
    }),
    tidy: defineAction({
      async run(ctx) {
        const timer = setTimeout(() => {}, 60_000);
        await (await ctx.fetch('https://api.example.com/long')).text();
        clearTimeout(timer);
      },
    }),
    times: defineAction({
      async run(ctx) {
        const began = Date.now();
        const order = [];
        setTimeout(() => order.push('later'), 7_200_000);
        const sooner = new Promise((resolve) => setTimeout(() => { order.push('sooner'); resolve(); }, 1000));
        await sooner;
        await ctx.sleep(3_600_000);
        await (await ctx.fetch('https://api.example.com/')).text();
        return { at: new Date().toISOString(), elapsed: Date.now() - began, order, left: ctx.remaining() };
      },
    }),
    deaf: defineAction({
      async run(ctx) {
        try { await ctx.fetch('https://api.example.com/'); } catch {}
        for (const end = Date.now() + 60_000; Date.now() < end;);
      },
    }),
  },
});
`;

let connector: OpenConnector;
const credential = { key: 'very-secret-key' };
const ok = (request: Request): Response => Response.json({ id: `o-${request.method}` });

beforeAll(async () => {
  connector = await openConnector({ dir: await project({ 'src/index.ts': SOURCE }), credential });
});
afterAll(() => connector.close());

describe('a fake upstream', () => {
  it('gets the request as the service would, and gives the answer', async () => {
    const seen: Array<[string, string, string | null, unknown]> = [];
    const outcome = await connector.run(
      'order',
      { sku: 'a' },
      {
        async upstream(request) {
          seen.push([request.method, request.url, request.headers.get('authorization'), await request.json()]);
          return Response.json({ id: 'o-1', echoed: 'very-secret-key' }, { status: 201 });
        },
      },
    );
    expect(seen).toEqual([['POST', 'https://api.example.com/orders?x=1', 'Bearer very-secret-key', { sku: 'a' }]]);
    expect(outcome).toMatchObject({
      status: 'succeeded',
      output: { id: 'o-1' },
      egress: [{ host: 'api.example.com', port: 443, status: 201 }],
    });
  });

  it('stands behind the same permissions as the network', async () => {
    const outcome = await connector.run('elsewhere', {}, { upstream: ok });
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'EGRESS_DENIED' } });
  });

  it('fails the test when its handler throws', async () => {
    const upstream = (): never => {
      throw new Error('expected /orders');
    };
    await expect(connector.run('order', {}, { upstream })).rejects.toThrow('expected /orders');
  });

  it.each<[name: string, fault: () => Response | Promise<Response>, outcome: object]>([
    ['no answer', noAnswer, { status: 'timed_out' }],
    ['500', serverError, { status: 'failed', error: { code: 'SHOP_REFUSED', retryable: true } }],
    ['a lost connection', connectionLost, { status: 'failed', error: { code: 'NETWORK_ERROR', retryable: true } }],
    ['a body that is cut off', () => cutBody(), { status: 'failed', error: { code: 'NETWORK_ERROR' } }],
  ])('has bad days: %s', async (_name, fault, expected) => {
    expect(await connector.run('order', {}, { upstream: fault, timeoutMs: 400 })).toMatchObject(expected);
  });
});

describe('a clock of the test', () => {
  it('lets time pass at once', async () => {
    let requests = 0;
    const began = performance.now();
    const outcome = await connector.run(
      'order',
      {},
      { clock: '2026-01-01', upstream: (request) => (++requests < 3 ? tooManyRequests(3600) : ok(request)) },
    );
    expect(outcome).toMatchObject({ status: 'succeeded', output: { attempt: 3 } });
    expect(outcome.clock_ms).toBeGreaterThanOrEqual(7_200_000);
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it('is the time of Date, timers and the context, in the order of the timers', async () => {
    const outcome = await connector.run('times', {}, { clock: '2026-01-01T00:00:00Z', upstream: ok });
    expect(outcome).toMatchObject({
      status: 'succeeded',
      output: { at: '2026-01-01T01:00:01.000Z', elapsed: 3_601_000, order: ['sooner'], left: 0 },
    });
  });
});

describe('the leak check', () => {
  it('counts timers, calls and bodies that were left behind', async () => {
    const upstream = (request: Request): Response | Promise<Response> =>
      request.url.endsWith('/slow') ? noAnswer() : new Response(new Uint8Array(300_000));
    expect(await connector.run('careless', {}, { leaks: true, upstream })).toMatchObject({
      status: 'succeeded',
      leaks: { timers: 2, calls: 1, bodies: 1, sockets: 0 },
    });
  });

  it('finds nothing where everything was cleaned up', async () => {
    const upstream = (): Response => new Response(new Uint8Array(300_000));
    expect(await connector.run('tidy', {}, { leaks: true, upstream })).toMatchObject({
      leaks: { timers: 0, calls: 0, bodies: 0, sockets: 0 },
    });
  });
});

describe('sweeps', () => {
  it('cancel a run at each place where it waits for the host', async () => {
    const swept = await cancelAtEachAwait(connector, 'order', {}, { upstream: ok });
    expect(swept.map(({ what, outcome, endedItself }) => [what, outcome.status, endedItself])).toEqual([
      ['cancelled at 1: POST https://api.example.com/orders', 'cancelled', true],
      ['cancelled at 2: storage.set last', 'cancelled', true],
    ]);
  });

  it('tell of an action that does not end when it is told to', async () => {
    const swept = await cancelAtEachAwait(connector, 'deaf', {}, { upstream: ok, timeoutMs: 1000 });
    expect(swept).toMatchObject([{ outcome: { status: 'cancelled' }, endedItself: false }]);
  });

  it('squeeze the deadline down to a millisecond', async () => {
    const swept = await squeezeDeadline(connector, 'order', {}, { upstream: ok });
    expect(swept.at(-1)?.what).toBe('deadline 1 ms');
    for (const { outcome } of swept)
      expect(outcome).toMatchObject({ status: expect.stringMatching(/succeeded|timed_out/) });
  });

  it('try each fault at each request', async () => {
    const swept = await eachFault(connector, 'order', {}, { upstream: ok, timeoutMs: 300, clock: 0 });
    expect(Object.fromEntries(swept.map(({ what, outcome }) => [what, outcome.status]))).toEqual({
      'no answer at 1': 'timed_out',
      '429 with Retry-After at 1': 'succeeded',
      '500 with HTML at 1': 'failed',
      'connection lost at 1': 'failed',
      'body cut off at 1': 'failed',
    });
    expect(swept).toHaveLength(Object.keys(FAULTS).length);
  });
});

describe('a recording', () => {
  it('is made once, without secrets, and answers from then on', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'goflow-recording-'));
    const recording = path.join(folder, 'order.json');
    const dir = await project({ 'src/index.ts': SOURCE });
    try {
      const recorder = await openConnector({ dir, credential, recording, upstream: ok });
      expect(await recorder.run('order', { sku: 'a', note: 'very-secret-key' })).toMatchObject({ status: 'succeeded' });
      await recorder.close();

      const text = await readFile(recording, 'utf8');
      expect(text).not.toContain('very-secret-key');
      expect(JSON.parse(text)).toMatchObject({
        format: 'goflow-exchanges/1',
        exchanges: [
          { request: { method: 'POST', url: 'https://api.example.com/orders?x=1' }, response: { status: 200 } },
        ],
      });

      await using replayed = await openConnector({ dir, credential, recording });
      const input = { note: 'very-secret-key', sku: 'a' };
      expect(await replayed.run('order', input)).toMatchObject({
        status: 'succeeded',
        output: { id: 'o-POST' },
        egress: [],
      });
      expect(await replayed.run('order', input)).toMatchObject({
        status: 'failed',
        error: { code: 'NOT_RECORDED', message: expect.stringContaining('POST https://api.example.com/orders?x=1') },
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
