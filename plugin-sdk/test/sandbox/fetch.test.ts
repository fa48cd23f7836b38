import { describe, expect, test } from 'vitest';
import type { ErrorData } from '../../src/contract/index.ts';
import type { FetchHead } from '../../src/runtime/protocol/broker.ts';
import { type BrokerStub, TestLane } from './lane.ts';

const HEAD: FetchHead = {
  status: 200,
  statusText: 'OK',
  url: 'https://a.example/',
  redirected: false,
  headers: [['content-type', 'application/json']],
  bytes: null,
  body: null,
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function run(body: string, broker: BrokerStub): Promise<{ output: unknown; asked: unknown[] }> {
  await using lane = await TestLane.ofActions(`{ main: async (ctx) => { ${body} } }`);
  const call = lane.begin({ broker });
  const ended = await call.ended;
  expect(ended).toMatchObject({ ok: true });
  return { output: (ended as { output: unknown }).output, asked: call.asked };
}

/** A body of `count` chunks, read by `body.read`. */
function chunked(count: number): BrokerStub {
  let sent = 0;
  return (request) => {
    if (request.op === 'fetch') return { ...HEAD, body: 7 };
    if (request.op === 'body.read') return sent++ < count ? bytes(`chunk-${sent};`) : null;
    return null;
  };
}

describe('fetch', () => {
  test('sends the request whole and reads a short answer without asking again', async () => {
    const { output, asked } = await run(
      `const r = await ctx.fetch(new URL('https://a.example/x'), { method: 'post', headers: { A: '1' }, body: JSON.stringify({ b: 2 }), redirect: 'manual' });
      return [r.status, r.ok, r.statusText, r.url, r.redirected, r.headers.get('content-type'), await r.json(), r instanceof Response]`,
      () => ({ ...HEAD, bytes: bytes('{"ok":true}') }),
    );
    expect(output).toEqual([200, true, 'OK', 'https://a.example/', false, 'application/json', { ok: true }, true]);
    expect(asked).toEqual([
      {
        op: 'fetch',
        request: {
          url: 'https://a.example/x',
          method: 'POST',
          headers: [
            ['a', '1'],
            ['content-type', 'text/plain;charset=UTF-8'],
          ],
          redirect: 'manual',
          body: bytes('{"b":2}'),
        },
      },
    ]);
  });

  test('reads a long answer chunk by chunk', async () => {
    const { output, asked } = await run(`return await (await fetch('https://a.example')).text()`, chunked(3));
    expect(output).toBe('chunk-1;chunk-2;chunk-3;');
    expect(asked).toHaveLength(5);
  });

  test('asks for a chunk only when the connector reads: that is the back-pressure', async () => {
    const { output, asked } = await run(
      `const r = await fetch('https://a.example'); const reader = r.body.getReader(); await ctx.sleep(5);
      const first = new TextDecoder().decode((await reader.read()).value); await ctx.sleep(5); await reader.cancel(); return first`,
      chunked(100),
    );
    expect(output).toBe('chunk-1;');
    expect(asked.map((request) => (request as { op: string }).op)).toEqual(['fetch', 'body.read', 'body.cancel']);
  });

  test('streams through transforms and for await', async () => {
    const { output } = await run(
      `const out = []; for await (const part of (await fetch('https://a.example')).body.pipeThrough(new TextDecoderStream())) out.push(part); return out`,
      chunked(2),
    );
    expect(output).toEqual(['chunk-1;', 'chunk-2;']);
  });

  test('a clone reads the same bytes', async () => {
    const { output } = await run(
      `const r = await fetch('https://a.example'); const c = r.clone(); return [await r.text(), await c.text()]`,
      chunked(2),
    );
    expect(output).toEqual(['chunk-1;chunk-2;', 'chunk-1;chunk-2;']);
  });

  test('collects a stream that is sent', async () => {
    const { asked } = await run(
      `await fetch('https://a.example', { method: 'PUT', body: ReadableStream.from(['a', 'b']).pipeThrough(new TextEncoderStream()), duplex: 'half' })`,
      () => HEAD,
    );
    expect(asked).toMatchObject([{ request: { method: 'PUT', headers: [], body: bytes('ab') } }]);
  });

  test.each<[string, ErrorData, unknown]>([
    [
      'EGRESS_DENIED',
      { code: 'EGRESS_DENIED', message: 'host a.example is not granted', retryable: false },
      ['EGRESS_DENIED', 'host a.example is not granted', false, false],
    ],
    [
      'NETWORK_ERROR',
      { code: 'NETWORK_ERROR', message: 'refused', retryable: true },
      ['NETWORK_ERROR', 'refused', true, true],
    ],
  ])('a refusal of the broker is thrown with its code: %s', async (_code, error, expected) => {
    const { output } = await run(
      `try { await fetch('https://a.example'); } catch (e) { return [e.code, e.message, e.retryable, e instanceof TypeError]; }`,
      () => {
        throw error;
      },
    );
    expect(output).toEqual(expected);
  });

  test('an error of the broker that is not caught is that of the run', async () => {
    await using lane = await TestLane.ofActions(`{ main: async () => { await fetch('https://a.example'); } }`);
    const error: ErrorData = {
      code: 'NETWORK_ERROR',
      message: 'reset',
      retryable: true,
      details: { host: 'a.example' },
    };
    expect(
      await lane.error({
        broker() {
          throw error;
        },
      }),
    ).toEqual(error);
  });

  test.each([
    ['nope', 'TypeError', undefined],
    ['', 'TypeError', undefined],
    ['ftp://a.example', 'ConnectorError', 'EGRESS_DENIED'],
    ['file:///etc/passwd', 'ConnectorError', 'EGRESS_DENIED'],
    ['data:text/plain,x', 'ConnectorError', 'EGRESS_DENIED'],
    ['blob:https://a.example/x', 'ConnectorError', 'EGRESS_DENIED'],
  ])('fetch of %j never reaches the broker', async (url, name, code) => {
    const { output, asked } = await run(
      `try { await fetch(${JSON.stringify(url)}); } catch (e) { return { name: e.name, code: e.code }; }`,
      () => HEAD,
    );
    expect(output).toEqual(name === 'TypeError' ? { name, code: 'ERR_INVALID_URL' } : { name, code });
    expect(asked).toEqual([]);
  });

  test('an aborted fetch rejects with the reason, and its late answer is not read', async () => {
    const cancelled = Promise.withResolvers<string>();
    const late = Promise.withResolvers<FetchHead>();
    const broker: BrokerStub = (request) => {
      if (request.op === 'fetch') return late.promise;
      if (request.op === 'storage.get') return cancelled.promise;
      if (request.op === 'body.cancel') cancelled.resolve('true');
      else late.resolve({ ...HEAD, body: 9 });
      return null;
    };
    await using lane = await TestLane.ofActions(`{
      main: async (ctx) => { const c = new AbortController(); setTimeout(() => c.abort(new Error('enough')), 1);
        const why = await fetch('https://a.example', { signal: c.signal }).catch((e) => e.message);
        const early = await fetch('https://a.example', { signal: AbortSignal.abort() }).catch((e) => e.name);
        await ctx.storage.delete('answer now'); return [why, early, await ctx.storage.get('cancelled')]; } }`);
    const call = lane.begin({ broker });
    expect(await call.ended).toMatchObject({ output: ['enough', 'AbortError', true] });
    expect(call.asked.map(({ op }) => op).sort()).toEqual(['body.cancel', 'fetch', 'storage.delete', 'storage.get']);
  });

  test('bytes that came through a pool show nothing of their neighbours', async () => {
    const { output } = await run(
      `const r = await fetch('https://a.example'); return (await r.arrayBuffer()).byteLength`,
      () => ({
        ...HEAD,
        bytes: new Uint8Array(new ArrayBuffer(4096), 100, 3),
      }),
    );
    expect(output).toBe(3);
  });
});
