import { afterAll, beforeAll, expect, test } from 'vitest';
import { hostile, outputOf, TestEngine } from './harness.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await TestEngine.start();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

test.each([
  'bomb-array',
  'bomb-map',
  'bomb-keys',
  'bomb-string',
  'bomb-bigint',
  'bomb-buffers',
  'bomb-json',
  'bomb-sparse',
])('%s fails its own call with OUT_OF_MEMORY, and another plugin goes on', async (name) => {
  const other = engine.start(hostile('mixed'), { action: 'wait', input: 300 });
  expect(await engine.failure(hostile(name))).toBe('OUT_OF_MEMORY');
  expect(outputOf(await other.outcome)).toBe('waited');
});

test('a connector that makes garbage, but holds little, is left alone', async () => {
  await using fresh = await TestEngine.start();
  const started = fresh.start(hostile('churns', { memory_mb: 32 }), { input: 700 });
  expect(outputOf(await started.outcome)).toBe(100_001);
  expect(started.restarts).toEqual([]);
});

test('deep recursion fails its call only', async () => {
  expect(await engine.failure(hostile('deep-recursion'))).toBe('CONNECTOR_ERROR');
});

test('a call that shared the worker with a bomb is run again, and returns', async () => {
  const bundle = hostile('mixed');
  const innocent = [1, 2, 3].map((n) => engine.start(bundle, { action: 'wait', input: 400 + n }));
  const guilty = engine.start(bundle, { action: 'bomb' });
  for (const each of innocent) expect(outputOf(await each.outcome)).toBe('waited');
  expect(await guilty.outcome).toMatchObject({ status: 'failed', error: { code: 'OUT_OF_MEMORY' } });
});
