import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/contract/index.ts';
import { TestLane } from './lane.ts';

/** Each body runs as an action and gives its value. */
const BODIES = {
  present: `return input.filter((name) => typeof globalThis[name] === 'undefined')`,
  bare: `return [typeof URL, typeof fetch, typeof self, typeof navigator.userAgent, self === globalThis, typeof setImmediate]`,
  url: `const u = new URL('../x?a=1&b=%20c#h', 'https://User:pw@Example.com:8443/a/b'); u.searchParams.append('d', 'é &'); u.port = '443'; u.hash = '';
    const same = new URL(u); same.search = '?z=9'; const params = [...same.searchParams];
    return [u.href, u.origin, u.host, String(u.searchParams), params, URL.canParse('nope'), URL.parse('nope'), JSON.stringify({ u: same })]`,
  params: `const p = new URLSearchParams({ b: '2', a: 'ü+ /' }); p.append('b', '3'); p.sort(); p.set('c', 'x'); p.delete('b', '2');
    return [String(p), p.getAll('b'), p.size, [...new URLSearchParams('?q=a+b%zz&e&=v')], new URLSearchParams([['k', 'v']]).has('k', 'v')]`,
  text: `const e = new TextEncoder().encode('aé€😀'); const d = new TextDecoder(); const parts = [];
    for (const byte of e) parts.push(d.decode(new Uint8Array([byte]), { stream: true }));
    const small = new Uint8Array(5); const into = new TextEncoder().encodeInto('aé€😀', small);
    let fatal; try { new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255])); } catch (error) { fatal = error instanceof TypeError; }
    return [[...e], parts.join('') + d.decode(), into, new TextDecoder('windows-1252').decode(new Uint8Array([0x80])), new TextDecoder('utf-16le').decode(new Uint16Array([0x61])), fatal, new TextDecoder('LATIN1').encoding]`,
  base64: `let bad; try { btoa('€'); } catch (error) { bad = [error.name, error instanceof DOMException]; } return [btoa('hällo'), atob(' aGk= '), bad]`,
  abort: `const c = new AbortController(); const seen = []; c.signal.onabort = () => seen.push('on'); c.signal.addEventListener('abort', (e) => seen.push(e.type, e.target === c.signal, e.isTrusted), { once: true });
    const any = AbortSignal.any([c.signal, new AbortController().signal]); c.abort(); c.abort('again');
    const timed = AbortSignal.timeout(1); await new Promise((r) => timed.addEventListener('abort', r));
    let thrown; try { any.throwIfAborted(); } catch (error) { thrown = error.name; }
    return [seen, any.aborted, thrown, timed.reason.name, AbortSignal.abort('why').reason]`,
  events: `const t = new EventTarget(); const seen = []; const off = new AbortController();
    t.addEventListener('x', { handleEvent: (e) => seen.push(e.detail) }); t.addEventListener('x', () => seen.push('off'), { signal: off.signal }); off.abort();
    t.addEventListener('x', (e) => { e.preventDefault(); e.stopImmediatePropagation(); }); t.addEventListener('x', () => seen.push('never'));
    return [t.dispatchEvent(new CustomEvent('x', { detail: 7, cancelable: true })), seen]`,
  clone: `const o = { d: new Date(5), m: new Map([[{ k: 1 }, new Set([1])]]), r: /a/gi, b: new Uint8Array([1, 2]).subarray(1), e: new RangeError('x'), u: undefined }; o.self = o;
    const c = structuredClone(o); const buffer = new ArrayBuffer(8); const moved = structuredClone({ buffer }, { transfer: [buffer] });
    return [c !== o, c.self === c, c.d.getTime(), [...c.m][0][1].has(1), String(c.r), [...c.b], c.e instanceof RangeError, 'u' in c, buffer.byteLength, moved.buffer.byteLength]`,
  headers: `const h = new Headers([['B', '2'], ['a', ' 1 '], ['b', '3']]); h.append('Set-Cookie', 'x=1'); h.append('set-cookie', 'y=2'); const bad = [];
    for (const [n, v] of [['a b', ''], ['a', 'x\\ny'], ['a', '€']]) try { h.set(n, v); bad.push('taken'); } catch (error) { bad.push(error instanceof TypeError); }
    return [[...h], h.get('B'), h.getSetCookie(), bad]`,
  body: `const r = new Response('{"a":1}', { headers: { 'content-type': 'application/json' } }); const c = r.clone(); const j = await r.json();
    let again; try { await r.text(); } catch (error) { again = error instanceof TypeError; }
    const chunks = []; for await (const chunk of c.body) chunks.push(...chunk);
    const blob = await new Response(new Blob(['ab', new Uint8Array([99])], { type: 'Text/X' })).blob();
    const stream = new ReadableStream({ start(k) { k.enqueue(new Uint8Array([104])); k.enqueue(new Uint8Array([105])); k.close(); } });
    return [j, r.bodyUsed, again, new TextDecoder().decode(new Uint8Array(chunks)), blob.type, await blob.slice(1).text(), await new Response(stream).text(), Response.json([1]).headers.get('content-type'), await new Response().text()]`,
  form: `const f = new FormData(); f.append('a "q"', 'line\\nend'); f.append('file', new File(['bytes'], 'n.txt', { type: 'text/plain' }));
    const r = new Response(f); const back = await r.formData(); const file = back.get('file');
    const form = await new Response(new URLSearchParams('x=1&x=2')).formData();
    return [r.headers.get('content-type').slice(0, 29), [...back.keys()], back.get('a "q"'), file.name, file.type, await file.text(), form.getAll('x')]`,
  request: `const r = new Request('https://a.example/x', { method: 'post', body: 'b', headers: { A: '1' } }); const again = new Request(r, { headers: { b: '2' } });
    const bad = []; for (const make of [() => new Request('nope'), () => new Request('https://a.example', { body: 'x' }), () => new Request('https://a.example', { method: 'TRACE' }), () => new Request('https://u:p@a.example')]) try { make(); bad.push('made'); } catch (error) { bad.push(error instanceof TypeError); }
    return [again.method, again.url, await again.text(), r.bodyUsed, again.headers.get('b'), again.signal.aborted, bad]`,
  streams: `const out = []; await ReadableStream.from(['a', 'bé']).pipeThrough(new TextEncoderStream()).pipeThrough(new TransformStream()).pipeThrough(new TextDecoderStream()).pipeTo(new WritableStream({ write(c) { out.push(c); } }));
    return [out.join(''), new CountQueuingStrategy({ highWaterMark: 2 }).highWaterMark]`,
  compress: `const zip = async (stream, data) => new Uint8Array(await new Response(new Blob([data]).stream().pipeThrough(stream)).arrayBuffer());
    const packed = await zip(new CompressionStream('gzip'), 'x'.repeat(200_000)); const all = [];
    for (const format of ['gzip', 'deflate', 'deflate-raw']) all.push((await zip(new DecompressionStream(format), await zip(new CompressionStream(format), 'round trip'))).length);
    const theirs = await zip(new DecompressionStream('gzip'), Uint8Array.from(input)); let bad; try { await zip(new DecompressionStream('gzip'), 'not gzip'); } catch (error) { bad = error instanceof TypeError; }
    return [[...packed], all, new TextDecoder().decode(theirs), bad]`,
  random: `const a = crypto.getRandomValues(new Uint32Array(4)); let big; try { crypto.getRandomValues(new Uint8Array(65537)); } catch (error) { big = error.name; }
    return [a.some((n) => n > 0), crypto.randomUUID(), big]`,
  timers: `const seen = []; await new Promise((done) => { const i = setInterval((x) => { seen.push(x); if (seen.length === 4) { clearInterval(i); done(); } }, 1, 'i'); const t = setTimeout(() => seen.push('cleared'), 0); clearTimeout(t); clearTimeout(undefined); queueMicrotask(() => seen.push('micro')); });
    return seen`,
  channel: `const { port1, port2 } = new MessageChannel(); const got = new Promise((resolve) => { port2.onmessage = (e) => resolve(e.data); }); port1.postMessage({ a: [1] }); return await got`,
  misc: `return [performance.now() > 0, performance.timeOrigin > 1e12, Date.now() > 1e12, Math.random() < 1, new Date(0).toISOString(), new Intl.NumberFormat('de').format(1234.5), (1234.5).toLocaleString('de'), Object.prototype.toString.call(new Headers()), new WeakRef(Promise).deref() === Promise]`,
  jsIdioms: `class E extends Error { constructor(m) { super(m); this.name = 'E'; this.message = m; this.toString = () => 'own'; } } const o = {}; o.constructor = 1; o.hasOwnProperty = 2; o.toString = () => 't'; function F() {} F.prototype.toString = function () { return 'F'; }; F.prototype.constructor = F;
    const arr = [3, 1]; arr.sort(); const err = new E('m'); return [String(err), o.constructor, String(o), String(new F()), arr, err.name, new (class extends Map {})([[1, 2]]).get(1)]`,
};

describe('the globals of a connector', () => {
  let lane: TestLane;
  const run = (action: keyof typeof BODIES, input: JsonValue = null) => lane.output({ action, input });
  beforeAll(async () => {
    const actions = Object.entries(BODIES).map(([id, body]) => `${id}: async (ctx, input) => { ${body} }`);
    lane = await TestLane.ofActions(`{${actions.join(',\n')}}`);
  });
  afterAll(async () => await lane[Symbol.asyncDispose]());

  test('are the minimum common web API', async () => {
    const wanted =
      'AbortController AbortSignal Blob ByteLengthQueuingStrategy CompressionStream CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException DecompressionStream Event EventTarget File FormData Headers MessageChannel MessagePort ReadableByteStreamController ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader Request Response SubtleCrypto TextDecoder TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController URL URLSearchParams WritableStream WritableStreamDefaultController WritableStreamDefaultWriter atob btoa clearInterval clearTimeout console crypto fetch globalThis navigator performance queueMicrotask reportError self setInterval setTimeout structuredClone Date Math Intl Float32Array Float64Array WeakRef FinalizationRegistry Proxy Reflect';
    expect(await run('present', wanted.split(' '))).toEqual([]);
    expect(await run('bare')).toEqual(['function', 'function', 'object', 'string', true, 'function']);
  });

  test.each<[keyof typeof BODIES, JsonValue]>([
    [
      'url',
      [
        'https://User:pw@example.com/x?a=1&b=+c&d=%C3%A9+%26',
        'https://example.com',
        'example.com',
        'a=1&b=+c&d=%C3%A9+%26',
        [['z', '9']],
        false,
        null,
        '{"u":"https://User:pw@example.com/x?z=9"}',
      ],
    ],
    [
      'params',
      [
        'a=%C3%BC%2B+%2F&b=3&c=x',
        ['3'],
        3,
        [
          ['q', 'a b%zz'],
          ['e', ''],
          ['', 'v'],
        ],
        true,
      ],
    ],
    [
      'text',
      [
        [97, 195, 169, 226, 130, 172, 240, 159, 152, 128],
        'aé€😀',
        { read: 2, written: 3 },
        '€',
        'a',
        true,
        'windows-1252',
      ],
    ],
    ['base64', ['aORsbG8=', 'hi', ['InvalidCharacterError', true]]],
    ['abort', [['on', 'abort', true, true], true, 'AbortError', 'TimeoutError', 'why']],
    ['events', [false, [7]]],
    ['clone', [true, true, 5, true, '/a/gi', [2], true, true, 0, 8]],
    [
      'headers',
      [
        [
          ['a', '1'],
          ['b', '2, 3'],
          ['set-cookie', 'x=1'],
          ['set-cookie', 'y=2'],
        ],
        '2, 3',
        ['x=1', 'y=2'],
        [true, true, true],
      ],
    ],
    ['body', [{ a: 1 }, true, true, '{"a":1}', 'text/x', 'bc', 'hi', 'application/json', '']],
    [
      'form',
      ['multipart/form-data; boundary', ['a "q"', 'file'], 'line\r\nend', 'n.txt', 'text/plain', 'bytes', ['1', '2']],
    ],
    ['request', ['POST', 'https://a.example/x', 'b', true, '2', false, [true, true, true, true]]],
    ['streams', ['abé', 2]],
    ['timers', ['micro', 'i', 'i', 'i']],
    ['channel', { a: [1] }],
    ['misc', [true, true, true, true, '1970-01-01T00:00:00.000Z', '1.234,5', '1.234,5', '[object Headers]', true]],
    ['jsIdioms', ['own', 1, 't', 'F', [1, 3], 'E', 2]],
  ])('%s behaves as the standard says', async (action, expected) => {
    expect(await run(action)).toEqual(expected);
  });

  test('random values are random and within their limit', async () => {
    const [some, uuid, big] = (await run('random')) as [boolean, string, string];
    expect([some, big]).toEqual([true, 'QuotaExceededError']);
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  });

  test('compression streams understand zlib, and zlib them', async () => {
    const [packed, sizes, theirs, bad] = (await run('compress', [...gzipSync('from zlib')])) as [
      number[],
      number[],
      string,
      boolean,
    ];
    expect(gunzipSync(Uint8Array.from(packed)).length).toBe(200_000);
    expect([sizes, theirs, bad]).toEqual([[10, 10, 10], 'from zlib', true]);
  });
});
