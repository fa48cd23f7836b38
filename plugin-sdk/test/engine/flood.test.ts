import { afterAll, beforeAll, expect, test } from 'vitest';
import { hostile, outputOf, TestEngine } from './harness.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await TestEngine.start();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

test('a log flood is cut, and the call returns', async () => {
  const started = engine.start(hostile('log-flood'));
  expect(outputOf(await started.outcome)).toBe('said');
  expect(started.logs.length).toBeLessThanOrEqual(1000);
  expect(started.droppedLogs).toBeGreaterThan(0);
});

test('a call that sends messages without end is ended', async () => {
  expect(await engine.failure(hostile('progress-flood'))).toBe('PLUGIN_CRASHED');
});

test('a result that is too large or no JSON fails its call', async () => {
  expect(await engine.failure(hostile('huge-result'))).toBe('RESULT_TOO_LARGE');
  expect(await engine.failure(hostile('cyclic-result'))).toBe('RESULT_NOT_JSON');
});

test.each(['undefined', 'null', 'string', 'symbol', 'function', 'getter', 'proxy'])(
  'a thrown %s fails its call',
  async (input) => {
    expect(await engine.failure(hostile('throws-anything'), { input })).toBe('CONNECTOR_ERROR');
  },
);

test('timers that a call leaves behind do not go on', async () => {
  const bundle = hostile('leaves-timers');
  expect(await engine.output(bundle)).toBe('gone');
  const first = await engine.output(bundle, { action: 'late' });
  await engine.output(hostile('mixed'), { action: 'wait', input: 50 });
  expect(await engine.output(bundle, { action: 'late' })).toBe(first);
});
