import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { BundleCode } from '../../src/runtime/engine/engine.ts';
import { Intake } from '../../src/runtime/engine/intake.ts';
import { encodeBatch, encodeFrame, FrameError, FrameReader, TOKEN_BYTES } from '../../src/runtime/protocol/frames.ts';
import { isEngineBatch } from '../../src/runtime/protocol/check.ts';
import { TestEngine, until } from './harness.ts';

// The wall in front of the host, alone: the engine process itself is the attacker, so nothing of ours stands between it and the host but the checks
// of what it says.

const { folder } = vi.hoisted(() => ({ folder: { path: '' } }));

vi.mock(import('../../src/runtime/engine/paths.ts'), async (original) => ({
  ...(await original()),
  engineEntry: () => path.join(folder.path, 'main.mjs'),
}));

beforeAll(() => {
  folder.path = mkdtempSync(path.join(tmpdir(), 'goflow-hostile-'));
  const hostile = fileURLToPath(new URL('walls/hostile-engine.mjs', import.meta.url));
  copyFileSync(hostile, path.join(folder.path, 'main.mjs'));
  const real = createRequire(import.meta.url).resolve('@goflow/plugin-sdk/engine');
  copyFileSync(path.join(path.dirname(real), 'confine.js'), path.join(folder.path, 'confine.js'));
});
afterAll(() => rmSync(folder.path, { recursive: true, force: true }));

const bundle = (name: string): BundleCode => ({
  digest: `sha256-${name}`,
  name,
  version: '1.0.0',
  code: '',
  limits: { memory_mb: 64, concurrency: 16, timeout_ms: 30_000 },
});

const RETURN = `engine.say({ type: 'result', key, output: '"honest"', usage: { wallMs: 1 } });`;
const log = (fields: string) => `engine.say({ type: 'log', key, level: 'info', message: 'm', fields: ${fields} });`;

describe('an engine that sends', () => {
  const attacks: ReadonlyArray<readonly [what: string, code: string]> = [
    ['bytes that are no frame', `engine.raw(Buffer.alloc(64, 0x41));`],
    ['nothing but zeros', `engine.raw(Buffer.alloc(64));`],
    ['a message in the name of another channel', `engine.raw(engine.frame([{ type: 'ready' }], Buffer.alloc(16)));`],
    ['a length of 4 GB', `engine.raw(engine.frameOf(Buffer.from('x'), engine.token, 0xffffffff));`],
    ['a frame without a value', `engine.raw(engine.frameOf(Buffer.alloc(0)));`],
    ['a value that is cut off', `engine.raw(engine.frameOf(engine.frame(['x'.repeat(100)]).subarray(20, 60)));`],
    ['a value of a version that does not exist', `engine.raw(engine.frameOf(Buffer.from([0xff, 0xee, 0x22])));`],
    [
      'a typed array that says to be larger than it is',
      `engine.raw(engine.frameOf(Buffer.from([0xff, 0x0f, 0x5c, 0x01, 0xff, 0xff, 0xff, 0x7f])));`,
    ],
    ['a message of Node’s own channel', `engine.raw(engine.frame({ cmd: 'NODE_HANDLE_ACK' }));`],
    ['a handle over Node’s own channel', `engine.raw(engine.frame({ cmd: 'NODE_HANDLE', type: 'constructor' }));`],
    ['something that is no batch', `engine.raw(engine.frame('ready'));`],
    ['an array-like', `engine.raw(engine.frame({ length: 1, 0: { type: 'ready' } }));`],
    ['a batch of nothing', `engine.raw(engine.frame([null]));`],
    ['a batch with holes', `engine.raw(engine.frame(new Array(1000)));`],
    ['a batch of millions', `engine.raw(engine.frame(new Array(2_000_000).fill(0)));`],
    ['an unknown message', `engine.say({ type: 'grant', key });`],
    ['a type that every object has', `engine.say({ type: 'constructor', key });`],
    ['a type that is no text', `engine.say({ type: { toString: 1 }, key });`],
    ['that it is ready, twice', `engine.say({ type: 'ready' });`],
    [
      'a result for a key that is text',
      `engine.say({ type: 'result', key: String(key), output: '1', usage: { wallMs: 1 } });`,
    ],
    ['a result that is an object', `engine.say({ type: 'result', key, output: {}, usage: { wallMs: 1 } });`],
    [
      'a result larger than any may be',
      `engine.say({ type: 'result', key, output: 'x'.repeat(30_000_000), usage: { wallMs: 1 } });`,
    ],
    ['a time that is no number', `engine.say({ type: 'result', key, output: '1', usage: { wallMs: NaN } });`],
    [
      'a failure with a Map for details',
      `engine.say({ type: 'failure', key, error: { code: 'X', message: 'm', retryable: false, details: new Map() }, usage: { wallMs: 1 } });`,
    ],
    [
      'a failure whose code is an object',
      `engine.say({ type: 'failure', key, error: { code: {}, message: 'm', retryable: false }, usage: { wallMs: 1 } });`,
    ],
    ['the end of a call that nobody ended', `engine.say({ type: 'ended', key, threadGoneMs: null });`],
    [
      'a log line 1,000 levels deep',
      log(`(() => { let deep = {}; for (let i = 0; i < 1000; i++) deep = { deep }; return deep; })()`),
    ],
    ['a log line that holds itself', log(`(() => { const self = {}; self.self = self; return self; })()`)],
    ['a log line of a million values', log(`{ many: new Array(1_000_000).fill({}) }`)],
    ['a log line with a date', log(`{ at: new Date() }`)],
    [
      'a log line with a symbol for a level',
      `engine.say({ type: 'log', key, level: ['info'], message: 'm', fields: null });`,
    ],
    [
      'a call to the broker that is none',
      `engine.say({ type: 'call', key, call: 1, request: { op: 'exec', command: 'id' } });`,
    ],
    [
      'a call to the broker by a name that every object has',
      `engine.say({ type: 'call', key, call: 1, request: { op: '__proto__' } });`,
    ],
    [
      'a fetch with a URL object',
      `engine.say({ type: 'call', key, call: 1, request: { op: 'fetch', request: { url: ['http://a'], method: 'GET', headers: [], body: null, redirect: 'follow' } } });`,
    ],
    [
      'a fetch with headers that are an object',
      `engine.say({ type: 'call', key, call: 1, request: { op: 'fetch', request: { url: 'http://a', method: 'GET', headers: { host: 'a' }, body: null, redirect: 'follow' } } });`,
    ],
    [
      'shared memory',
      `engine.say({ type: 'call', key, call: 1, request: { op: 'socket.write', socket: 1, data: [1, 2, 3] } });`,
    ],
    [
      'messages without end',
      `const line = engine.frame(new Array(1000).fill({ type: 'log', key, level: 'debug', message: '', fields: null })); for (let i = 0; i < 400; i++) engine.raw(line);`,
    ],
  ];

  describe('as one engine after the other', () => {
    let engine: TestEngine;
    beforeAll(async () => void (engine = await TestEngine.start()));
    afterAll(async () => await engine[Symbol.asyncDispose]());

    test.each(attacks)('%s is killed; the host and the next call are unharmed', async (_what, code) => {
      const before = engine.deaths().length;
      const outcome = await engine.call(bundle('hostile'), { input: code });
      expect(outcome).toMatchObject({ status: 'failed', error: { code: 'PLUGIN_CRASHED' } });
      expect(engine.deaths().slice(before)).toEqual(['malformed']);
      expect(await engine.output(bundle('honest'), { input: RETURN })).toBe('honest');
    });
  });

  test('messages for keys that it was never given changes nothing', async () => {
    await using engine = await TestEngine.start();
    const asked: unknown[] = [];
    const said = `for (const other of [0, key + 1, key + 1000, Number.MAX_SAFE_INTEGER]) engine.say(
      { type: 'call', key: other, call: 1, request: { op: 'storage.get', key: 'k' } },
      { type: 'log', key: other, level: 'info', message: 'm', fields: null },
      { type: 'result', key: other, output: '1', usage: { wallMs: 1 } });`;
    const output = await engine.output(bundle('hostile'), {
      input: said + RETURN,
      broker: async (call) => {
        asked.push(call);
        return { ok: true, value: null };
      },
    });
    expect([output, asked]).toEqual(['honest', []]);
  });

  test('answers, log lines and requests for the calls of another engine reaches none of them', async () => {
    await using engine = await TestEngine.start({ processes: 2 });
    await until(() => engine.readyPids().length === 2, 'both engines are up');
    // Bundles that two engines share out: found by asking who has them.
    const wait = (marker: string) =>
      `setTimeout(() => engine.say({ type: 'result', key, output: ${JSON.stringify(JSON.stringify(marker))}, usage: { wallMs: 1 } }), 400);`;
    const others = Array.from({ length: 6 }, (_, i) =>
      engine.start(bundle(`other-${i}`), { input: wait(`mine-${i}`) }),
    );
    const attack =
      `for (let other = 0; other < 50; other++) if (other !== key) engine.say(
      { type: 'log', key: other, level: 'info', message: 'forged', fields: null },
      { type: 'call', key: other, call: 1, request: { op: 'storage.get', key: 'k' } });` + RETURN;
    expect(await engine.output(bundle('hostile'), { input: attack })).toBe('honest');
    const outputs = await Promise.all(others.map(({ outcome }) => outcome));
    expect(outputs.map((one) => (one.status === 'returned' ? JSON.parse(one.output) : one))).toEqual(
      others.map((_, i) => `mine-${i}`),
    );
    // Those on the hostile engine are its own to betray; those on the other one have heard nothing.
    const forged = others.filter(({ logs }) => logs.includes('forged')).length;
    expect(forged).toBeLessThan(others.length);
    for (const { logs, asked } of others) expect(asked.length).toBe(logs.length);
  });

  test('nothing any more, and closes its pipe, is killed', async () => {
    await using engine = await TestEngine.start();
    const outcome = await engine.call(bundle('hostile'), {
      input: `engine.pipe.removeAllListeners('close'); engine.pipe.end(); setInterval(() => {}, 1000);`,
      ms: 300,
    });
    expect(outcome).toEqual({ status: 'aborted', reason: 'deadline' });
    await until(() => engine.deaths().length > 0, 'the engine is killed');
    expect(await engine.output(bundle('honest'), { input: RETURN })).toBe('honest');
  });
});

describe('whatever an engine may say', () => {
  const token = Buffer.alloc(TOKEN_BYTES, 7);
  const types = [
    'ready',
    'result',
    'failure',
    'returned',
    'ended',
    'stuck',
    'call',
    'log',
    'logs-dropped',
    'progress',
    'pong',
  ];
  const ops = [
    'fetch',
    'body.read',
    'body.cancel',
    'connect',
    'socket.read',
    'socket.write',
    'socket.end',
    'socket.starttls',
    'socket.close',
    'storage.get',
    'storage.set',
    'storage.delete',
    'storage.list',
  ];
  const names = fc.constantFrom(
    'key',
    'call',
    'output',
    'usage',
    'error',
    'fields',
    'message',
    'level',
    'keys',
    'id',
    'stats',
    'threadGoneMs',
    'started',
    'suspect',
    '__proto__',
    'constructor',
    'toString',
  );
  const odd = fc.anything({
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    withBigInt: true,
    withNullPrototype: true,
    maxDepth: 4,
  });
  const request = fc
    .dictionary(
      fc.constantFrom(
        'request',
        'body',
        'host',
        'port',
        'socket',
        'data',
        'key',
        'value',
        'prefix',
        'url',
        '__proto__',
      ),
      odd,
    )
    .chain((rest) => fc.constantFrom(...ops).map((op) => ({ ...rest, op })));
  const message = fc
    .tuple(fc.constantFrom(...types), fc.dictionary(names, odd), request)
    .map(([type, rest, asked]) => ({ request: asked, ...rest, type }));

  test('the check never throws, and takes nothing that it should not', () => {
    fc.assert(
      fc.property(fc.oneof(odd, fc.array(fc.oneof(message, odd), { maxLength: 4 })), (value) => {
        if (!isEngineBatch(value)) return;
        for (const one of value) {
          expect(types).toContain(one.type);
          if (one.type !== 'ready' && 'key' in one) expect(Number.isSafeInteger(one.key)).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('bytes are read as messages or refused, and never throw', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      // Good frames with one byte changed.
      fc.tuple(fc.array(fc.jsonValue(), { maxLength: 3 }), fc.nat(), fc.nat(255)).map(([value, at, to]) => {
        const frame = encodeFrame(value, token);
        frame[at % frame.byteLength] = to;
        return frame;
      }),
    );
    fc.assert(
      fc.property(bytes, (chunk) => {
        for (const batch of new Intake(token, () => 1).read(Buffer.from(chunk)))
          if (batch !== null) expect(isEngineBatch(batch)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test('frames come out as they went in, however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.jsonValue(), { maxLength: 4 }), { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (batches, cuts) => {
          const whole = Buffer.concat(batches.flatMap((batch) => encodeBatch(batch, token)));
          const reader = new FrameReader(token);
          const read: unknown[] = [];
          for (let at = 0, cut = 0; at < whole.byteLength; cut += 1) {
            const size = cuts[cut % cuts.length]!;
            read.push(...reader.read(whole.subarray(at, at + size)));
            at += size;
          }
          expect(read).toEqual(batches);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a length that is only announced takes no memory', () => {
    const reader = new FrameReader(token);
    const head = Buffer.concat([Buffer.from([0x10, 0, 0, 0]), token]);
    expect([...reader.read(head)]).toEqual([]);
    const tooLong = Buffer.concat([Buffer.from([0x10, 0, 0, 1]), token]);
    expect(() => [...new FrameReader(token).read(tooLong)]).toThrow(FrameError);
  });
});
