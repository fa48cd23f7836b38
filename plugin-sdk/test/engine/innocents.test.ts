import { expect, test } from 'vitest';
import { hostile, isAlive, outputOf, TestEngine, threadsOf, until } from './harness.ts';

const mixed = hostile('mixed');

test('calls that wait on the thread of an endless loop need not wait for its deadline', async () => {
  await using engine = await TestEngine.start();
  const waiting = [1, 2, 3].map((n) => engine.start(mixed, { action: 'wait', input: 300 + n, tenantId: `good${n}` }));
  const loop = engine.start(mixed, { action: 'loop', tenantId: 'evil', ms: 60_000 });
  for (const each of waiting) expect(outputOf(await each.outcome)).toBe('waited');
  loop.cancel();
  expect(await loop.outcome).toEqual({ status: 'aborted', reason: 'cancelled' });
  await loop.ended;
});

test('tenants that keep threads busy together do not shut out one that does not', async () => {
  await using engine = await TestEngine.start();
  const bundle = hostile('mixed', { concurrency: 1 });
  const loops = Array.from({ length: 12 }, (_, n) =>
    engine.start(bundle, { action: 'loop', tenantId: `evil${n % 2}` }),
  );
  const [first] = loops;
  const through = engine.start(bundle, { action: 'echo', input: 'through', tenantId: 'good' });
  expect(outputOf(await through.outcome)).toBe('through');
  for (const loop of loops) loop.cancel();
  await Promise.all(loops.map((loop) => loop.ended));
  expect((await first!.outcome).status).toBe('aborted');
});

test('calls that come while an engine is being killed are taken by the spare that is ready', async () => {
  await using engine = await TestEngine.start({ spare: 'always' });
  await engine.output(mixed, { action: 'echo' });
  await until(() => engine.readyPids().length === 2, 'the spare is ready');
  for (let kills = 0; kills < 3; kills += 1) {
    const [pid] = engine.pids();
    const alive = engine.readyPids().length;
    process.kill(pid!, 'SIGKILL');
    const calls: ReturnType<TestEngine['start']>[] = [];
    await until(() => {
      calls.push(engine.start(mixed, { action: 'echo', input: calls.length }));
      return !isAlive(pid!);
    }, 'the engine is gone');
    calls.push(engine.start(mixed, { action: 'echo', input: calls.length }));
    for (const [n, call] of calls.entries()) expect(outputOf(await call.outcome)).toBe(n);
    await until(() => engine.readyPids().length > alive, 'another spare is ready');
  }
});

test('a thread that computes although it has no call is ended', async () => {
  await using engine = await TestEngine.start();
  const [pid] = engine.pids();
  await engine.output(mixed, { action: 'echo' });
  const before = threadsOf(pid!);
  expect(await engine.output(hostile('loops-at-load'))).toBe('loaded');
  // Its own thread goes; those that hash for it are Node's, and stay.
  if (before !== null) await until(() => threadsOf(pid!)! <= before + 4, 'its thread is gone');
  expect(engine.deaths()).toEqual([]);
});

test('a begun-again call gets the context that its host gives it', async () => {
  await using engine = await TestEngine.start();
  const waiting = engine.start(mixed, { action: 'attempt', input: 800 });
  await until(() => waiting.logs.length > 0, 'it has begun');
  process.kill(engine.pids()[0]!, 'SIGKILL');
  expect(outputOf(await waiting.outcome)).toBe(2);
  expect(waiting.restarts).toEqual([1]);
});
