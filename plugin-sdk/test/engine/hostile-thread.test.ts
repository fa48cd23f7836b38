import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { BundleCode } from '../../src/runtime/engine/engine.ts';
import { TestEngine } from './harness.ts';

// The wall of the thread, alone: the file that runs in the worker is the attacker's, in the real engine process. It has a port to the engine's main thread,
// and everything of Node that the process may use.

const { folder } = vi.hoisted(() => ({ folder: { path: '' } }));

vi.mock(import('../../src/runtime/engine/paths.ts'), async (original) => ({
  ...(await original()),
  engineEntry: () => path.join(folder.path, 'main.js'),
}));

let engine: TestEngine;

beforeAll(async () => {
  folder.path = mkdtempSync(path.join(tmpdir(), 'goflow-thread-'));
  const real = path.dirname(createRequire(import.meta.url).resolve('@goflow/plugin-sdk/engine'));
  for (const file of ['main.js', 'worker.js', 'confine.js'])
    copyFileSync(path.join(real, file), path.join(folder.path, file));
  copyFileSync(
    fileURLToPath(new URL('walls/hostile-thread.mjs', import.meta.url)),
    path.join(folder.path, 'sandbox.js'),
  );
  engine = await TestEngine.start();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  rmSync(folder.path, { recursive: true, force: true });
});

const bundle = (name: string): BundleCode => ({
  digest: `sha256-${name}`,
  name,
  version: '1.0.0',
  code: '',
  limits: { memory_mb: 64, concurrency: 16, timeout_ms: 30_000 },
});

const returning = (value: string) =>
  `lane.say({ type: 'result', key, output: ${JSON.stringify(JSON.stringify(value))}, wallMs: 1 });`;

describe('a thread that sends', () => {
  test.each([
    ['text', `lane.port.postMessage('ready');`],
    ['nothing', `lane.port.postMessage(undefined);`],
    ['a batch of nothing', `lane.port.postMessage([null]);`],
    ['a batch of millions', `lane.port.postMessage(new Array(2_000_000).fill(0));`],
    ['an unknown event', `lane.say({ type: 'grant', key });`],
    ['a type that every object has', `lane.say({ type: 'toString', key });`],
    [
      'a result for a key that is an object',
      `lane.say({ type: 'result', key: { valueOf: 1 }, output: '1', wallMs: 1 });`,
    ],
    ['a result that is no text', `lane.say({ type: 'result', key, output: new String('1'), wallMs: 1 });`],
    [
      'a result larger than any may be',
      `lane.say({ type: 'result', key, output: 'x'.repeat(30_000_000), wallMs: 1 });`,
    ],
    [
      'a failure with a function’s worth of details',
      `lane.say({ type: 'failure', key, error: { code: 'X', message: 'm', retryable: false, details: new Map() }, wallMs: 1 });`,
    ],
    [
      'a log line that holds itself',
      `const self = {}; self.self = self; lane.say({ type: 'log', key, level: 'info', message: 'm', fields: self });`,
    ],
    ['a request that is none', `lane.say({ type: 'call', key, call: 1, request: { op: 'exec' } });`],
    [
      'bytes of shared memory',
      `lane.say({ type: 'call', key, call: 1, request: { op: 'socket.write', socket: 1, data: lane.slots.buffer } });`,
    ],
    [
      'a port of its own',
      `const { port1 } = new MessageChannel(); lane.port.postMessage([{ type: 'result', key, output: port1, wallMs: 1 }], [port1]);`,
    ],
  ])('%s is ended; its engine and the next call are unharmed', async (_what, code) => {
    expect(await engine.failure(bundle('hostile'), { input: code })).toBe('PLUGIN_CRASHED');
    expect(engine.deaths()).toEqual([]);
    expect(await engine.output(bundle('hostile'), { input: returning('sound') })).toBe('sound');
  });

  test('events for keys that are not its own reaches no other lane', async () => {
    const other = engine.start(bundle('other'), {
      input: `setTimeout(() => { ${returning('mine')} }, 300);`,
    });
    const forge = `for (let other = 0; other < 200; other++) if (other !== key) lane.say(
      { type: 'result', key: other, output: '"forged"', wallMs: 1 },
      { type: 'log', key: other, level: 'info', message: 'forged', fields: null },
      { type: 'call', key: other, call: 1, request: { op: 'storage.get', key: 'k' } });`;
    expect(await engine.output(bundle('hostile'), { input: forge + returning('done') })).toBe('done');
    expect(await other.outcome).toMatchObject({ status: 'returned', output: '"mine"' });
    expect([other.logs, other.asked]).toEqual([[], []]);
  });

  test('nonsense in the claims that it shares with the engine harms its own calls alone', async () => {
    const spoil = `lane.slots.fill(99); ${returning('spoiled')}`;
    expect(await engine.output(bundle('hostile'), { input: spoil })).toBe('spoiled');
    expect(await engine.output(bundle('other'), { input: returning('sound') })).toBe('sound');
    expect(engine.deaths()).toEqual([]);
  });

  test.each([
    [
      'garbage over the port of its pool',
      `lane.parentPort.postMessage({ taskId: 999, result: null, error: null }); lane.parentPort.postMessage('x');`,
    ],
    [
      'an end of its task that has not come',
      `lane.parentPort.postMessage({ ready: true }); lane.parentPort.postMessage({ taskId: 0, result: 1, error: null, histogram: null });`,
    ],
    ['an error that nobody catches', `setImmediate(() => { throw { toString() { throw 1; } }; });`],
    ['its own end', `process.exit(0);`],
  ])('%s costs no other run', async (_what, code) => {
    const other = engine.start(bundle('other'), { input: `setTimeout(() => { ${returning('mine')} }, 200);` });
    const hostile = engine.start(bundle('hostile'), { input: code, ms: 1000 });
    expect((await hostile.outcome).status).toMatch(/failed|aborted/);
    expect(await other.outcome).toMatchObject({ status: 'returned', output: '"mine"' });
    expect(await engine.output(bundle('hostile'), { input: returning('sound') })).toBe('sound');
  });

  test('requests gets answers in memory that holds nothing but them', async () => {
    const other = { ok: true, value: new TextEncoder().encode('the answer of another plugin') } as const;
    const mine = { ok: true, value: new TextEncoder().encode('mine') } as const;
    const askTwice = (end: string) =>
      `lane.say({ type: 'call', key, call: 1, request: { op: 'body.read', body: 1 } }); lane.port.on('message', (commands) => { for (const one of commands) if (one.type === 'answer' && one.key === key) { ${end} } });`;
    const look = `lane.say({ type: 'result', key, output: JSON.stringify(Buffer.from(one.value.buffer).toString('latin1')), wallMs: 1 });`;
    const calls = Array.from({ length: 8 }, (_, i) =>
      engine.start(bundle(i % 2 === 0 ? 'hostile' : 'other'), {
        input: askTwice(look),
        broker: async () => (i % 2 === 0 ? mine : other),
      }),
    );
    const seen = await Promise.all(calls.map(async ({ outcome }) => ((await outcome) as { output: string }).output));
    expect(new Set(seen.filter((_, i) => i % 2 === 0))).toEqual(new Set(['"mine"']));
  });

  // Last: it ends the engine process.
  test('messages into the engine’s own pipe says nothing in its name: the host ends the engine, and runs the others again', async () => {
    const other = engine.start(bundle('other'), { input: `setTimeout(() => { ${returning('mine')} }, 500);` });
    const forge = `
      const payload = Buffer.from([0xff, 0x0f, 0x41, 0x00, 0x24, 0x00, 0x00]);
      const head = Buffer.alloc(20);
      head.writeUInt32BE(payload.byteLength);
      lane.fs.writeSync(3, Buffer.concat([head, payload]));`;
    const hostile = engine.start(bundle('hostile'), { input: forge, ms: 8000 });
    expect(await other.outcome).toMatchObject({ status: 'returned', output: '"mine"' });
    expect(engine.deaths()[0]).toBe('malformed');
    expect(await hostile.outcome).toMatchObject({ status: 'failed', error: { code: 'PLUGIN_CRASHED' } });
  });
});
