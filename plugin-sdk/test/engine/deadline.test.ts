import { expect, test } from 'vitest';
import { hostile, TestEngine, threadsOf, until } from './harness.ts';

// Waiting callers are answered by the host's clock; how much later than the deadline is a figure of the bench, not of a test
// on a busy machine. What is checked here: that it ends, how, and that nothing is left of it.

test.each(['endless-loop', 'microtask-storm'])(
  '%s is ended when it is cancelled, together with its thread',
  async (name) => {
    await using engine = await TestEngine.start();
    const started = engine.start(hostile(name));
    await until(() => started.logs.length > 0, 'it has begun');
    started.cancel();
    expect(await started.outcome).toEqual({ status: 'aborted', reason: 'cancelled' });
    expect(await started.ended).toBeGreaterThan(0);
    expect(engine.deaths()).toEqual([]);
  },
);

test('an endless loop is ended at its deadline, together with its thread', async () => {
  await using engine = await TestEngine.start();
  await engine.output(hostile('mixed'), { action: 'echo' });
  const started = engine.start(hostile('mixed'), { action: 'loop', ms: 500 });
  expect(await started.outcome).toEqual({ status: 'aborted', reason: 'deadline' });
  expect(await started.ended).toBeGreaterThan(0);
});

test('a thread that cannot be ended costs its engine, which is replaced by a spare', async () => {
  await using engine = await TestEngine.start();
  const [pid] = engine.pids();
  await engine.output(hostile('mixed'), { action: 'echo' });
  const started = engine.start(hostile('mixed'), { action: 'freeze', ms: 1000 });
  expect(await started.outcome).toEqual({ status: 'aborted', reason: 'deadline' });
  expect(await started.ended).toBeGreaterThanOrEqual(250);
  expect(engine.deaths()).toEqual(['stuck']);
  expect(await engine.output(hostile('mixed'), { action: 'echo', input: 'next' })).toBe('next');
  expect(engine.pids()).not.toContain(pid);
});

test('a call that never settles is ended', async () => {
  await using engine = await TestEngine.start();
  const started = engine.start(hostile('never-settles'), { ms: 100 });
  expect(await started.outcome).toEqual({ status: 'aborted', reason: 'deadline' });
  await started.ended;
  expect(engine.deaths()).toEqual([]);
});

test('a call that listens to its signal ends without harm to its thread', async () => {
  await using engine = await TestEngine.start();
  const sleeps = engine.start(hostile('mixed'), { action: 'sleep', input: 60_000, ms: 150 });
  expect(await sleeps.outcome).toEqual({ status: 'aborted', reason: 'deadline' });
  await sleeps.ended;
});

test('a cancelled call resolves at once', async () => {
  await using engine = await TestEngine.start();
  const started = engine.start(hostile('mixed'), { action: 'sleep', input: 60_000 });
  const cancelled = engine.start(hostile('endless-loop'));
  started.cancel();
  cancelled.cancel();
  expect(await started.outcome).toEqual({ status: 'aborted', reason: 'cancelled' });
  expect(await cancelled.outcome).toEqual({ status: 'aborted', reason: 'cancelled' });
  await Promise.all([started.ended, cancelled.ended]);
});

test('expired work is not started', async () => {
  await using engine = await TestEngine.start();
  const started = engine.start(hostile('mixed'), { action: 'echo', ms: -1 });
  expect(await started.outcome).toEqual({ status: 'aborted', reason: 'deadline' });
});

test('after its deadline nothing of a call reaches the broker', async () => {
  await using engine = await TestEngine.start();
  const started = engine.start(hostile('mixed'), { action: 'writes', ms: 1000 });
  await until(() => started.asked.length > 3, 'the connector writes');
  await started.outcome;
  const written = started.asked.length;
  await started.ended;
  expect(started.asked.length).toBe(written);
});

test('code that does not finish loading is refused at its deadline', async () => {
  await using engine = await TestEngine.start();
  await expect(engine.engine.describe(hostile('loads-for-ever'), 400)).rejects.toMatchObject({
    error: { code: 'DEADLINE_EXCEEDED' },
  });
  expect(JSON.parse(await engine.engine.describe(hostile('computes'), 5000))).toMatchObject({ actions: { main: {} } });
});

test('a hundred timeouts leave no thread behind', async () => {
  await using engine = await TestEngine.start({ idleLaneMs: 100 });
  const bundle = hostile('endless-loop', { concurrency: 1 });
  const [pid] = engine.pids();
  const before = threadsOf(pid!);
  for (let round = 0; round < 10; round += 1) {
    const calls = Array.from({ length: 10 }, () => engine.start(bundle, { ms: 40 }));
    for (const call of calls) expect((await call.outcome).status).toBe('aborted');
    await Promise.all(calls.map((call) => call.ended));
  }
  expect(engine.deaths()).toEqual([]);
  // One more than before: the engine's lane, kept for the next call, and a thread of Node's own pool may have come up.
  if (before !== null) await until(() => threadsOf(pid!)! <= before + 2, 'the threads are gone');
});
