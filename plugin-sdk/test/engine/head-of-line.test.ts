import { expect, test } from 'vitest';
import { hostile, outputOf, TestEngine } from './harness.ts';

const mixed = hostile('mixed');

test('calls behind an endless loop of another tenant move to another worker and return', async () => {
  await using engine = await TestEngine.start();
  const loop = engine.start(mixed, { action: 'loop', tenantId: 'evil' });
  const behind = Array.from({ length: 10 }, (_, n) => engine.start(mixed, { action: 'echo', input: n }));
  for (const [n, each] of behind.entries()) expect(outputOf(await each.outcome)).toBe(n);
  loop.cancel();
  await loop.ended;
});

test('a connector that computes is avoided, not ended', async () => {
  await using engine = await TestEngine.start();
  const bundle = hostile('computes');
  const long = engine.start(bundle, { input: 600 });
  const short = engine.start(bundle, { input: 1 });
  expect(outputOf(await short.outcome)).toBe('computed');
  expect(outputOf(await long.outcome)).toBe('computed');
  expect([...long.restarts, ...short.restarts]).toEqual([]);
});

test('one tenant cannot take all workers of a plugin', async () => {
  await using engine = await TestEngine.start();
  const loops = Array.from({ length: 8 }, () => engine.start(mixed, { action: 'loop', tenantId: 'evil' }));
  const behind = engine.start(mixed, { action: 'echo', input: 'through' });
  expect(outputOf(await behind.outcome)).toBe('through');
  for (const loop of loops) loop.cancel();
  await Promise.all(loops.map((loop) => loop.ended));
});

test('calls beyond the concurrency of a worker get further workers, and wait for the rest', async () => {
  await using engine = await TestEngine.start();
  const bundle = hostile('mixed', { concurrency: 2 });
  const calls = Array.from({ length: 20 }, () => engine.start(bundle, { action: 'wait', input: 20 }));
  for (const call of calls) expect(outputOf(await call.outcome)).toBe('waited');
});

test('a call that waits in the queue ends at its deadline', async () => {
  await using engine = await TestEngine.start({ lanesPerBundle: 1 });
  const bundle = hostile('mixed', { concurrency: 1 });
  const first = engine.start(bundle, { action: 'wait', input: 500 });
  const second = engine.start(bundle, { action: 'echo', ms: 150 });
  expect(await second.outcome).toEqual({ status: 'aborted', reason: 'deadline' });
  expect(await second.ended).toBeNull();
  expect(outputOf(await first.outcome)).toBe('waited');
});
