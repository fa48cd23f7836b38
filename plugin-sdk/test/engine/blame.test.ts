import { expect, test } from 'vitest';
import { hostile, outputOf, TestEngine, until } from './harness.ts';

const mixed = hostile('mixed');

test('calls that shared a worker with an endless loop are run again, and return', async () => {
  await using engine = await TestEngine.start();
  await engine.output(mixed, { action: 'echo' });
  const innocent = [1, 2, 3].map((n) => engine.start(mixed, { action: 'wait', input: 500 + n }));
  const guilty = engine.start(mixed, { action: 'loop', ms: 400 });
  expect((await guilty.outcome).status).toBe('aborted');
  for (const each of innocent) expect(outputOf(await each.outcome)).toBe('waited');
  expect(await guilty.ended).toBeGreaterThan(0);
});

test('calls that shared an engine with a thread that cannot be ended are run again once, and return', async () => {
  await using engine = await TestEngine.start();
  await engine.output(mixed, { action: 'echo' });
  const innocent = [1, 2, 3].map((n) => engine.start(mixed, { action: 'wait', input: 1200 + n }));
  const guilty = engine.start(mixed, { action: 'freeze', ms: 400 });
  expect((await guilty.outcome).status).toBe('aborted');
  for (const each of innocent) {
    expect(outputOf(await each.outcome)).toBe('waited');
    expect(each.restarts).toEqual([1]);
  }
});

test('siblings of a call that is ended may finish when they are not to be run again', async () => {
  await using engine = await TestEngine.start();
  await engine.output(mixed, { action: 'echo' });
  const once = engine.start(mixed, { action: 'wait', input: 400, idempotent: false });
  const guilty = engine.start(mixed, { action: 'never', ms: 200 });
  await guilty.outcome;
  expect(outputOf(await once.outcome)).toBe('waited');
  expect(once.restarts).toEqual([]);
});

test('an engine that is killed from outside loses no call', async () => {
  await using engine = await TestEngine.start();
  await engine.output(mixed, { action: 'echo' });
  const calls = [1, 2, 3, 4].map((n) => engine.start(mixed, { action: 'wait', input: 300 + n }));
  const once = engine.start(mixed, { action: 'wait', input: 300, idempotent: false });
  process.kill(engine.pids()[0]!, 'SIGKILL');
  for (const call of calls) {
    expect(outputOf(await call.outcome)).toBe('waited');
    expect(call.restarts).toEqual([1]);
  }
  expect(await once.outcome).toEqual({ status: 'interrupted' });
  expect(engine.deaths()).toEqual(['lost']);
});

test('a single call is guilty of the crash of its engine', async () => {
  await using engine = await TestEngine.start();
  await engine.output(mixed, { action: 'echo' });
  const started = engine.start(mixed, { action: 'wait', input: 60_000 });
  process.kill(engine.pids()[0]!, 'SIGSEGV');
  expect(await started.outcome).toMatchObject({ status: 'failed', error: { code: 'PLUGIN_CRASHED' } });
});

test('an abort of V8 without other words counts as memory', async () => {
  await using engine = await TestEngine.start();
  const started = engine.start(mixed, { action: 'wait', input: 60_000 });
  process.kill(engine.pids()[0]!, 'SIGABRT');
  expect(await started.outcome).toMatchObject({ status: 'failed', error: { code: 'OUT_OF_MEMORY' } });
});

test('after a crash with several calls each is run again alone, and the innocent return', async () => {
  await using engine = await TestEngine.start();
  const calls = [1, 2, 3, 4].map((n) => engine.start(mixed, { action: 'wait', input: 200 + n }));
  process.kill(engine.pids()[0]!, 'SIGSEGV');
  for (const call of calls) expect(outputOf(await call.outcome)).toBe('waited');
  expect(engine.deaths()).toEqual(['crash']);
});

test('an engine that does not answer is killed, and its calls are run again', async () => {
  await using engine = await TestEngine.start();
  const started = engine.start(mixed, { action: 'wait', input: 50 });
  process.kill(engine.pids()[0]!, 'SIGSTOP');
  expect(outputOf(await started.outcome)).toBe('waited');
  expect(engine.deaths()).toEqual(['unresponsive']);
});

test('a call is run again at most three times', async () => {
  await using engine = await TestEngine.start();
  const started = engine.start(mixed, { action: 'wait', input: 60_000 });
  let status = '';
  void started.outcome.then((outcome) => (status = outcome.status));
  const killed = new Set<number>();
  await until(() => {
    for (const pid of engine.readyPids()) {
      if (!killed.has(pid)) process.kill(pid, 'SIGKILL');
      killed.add(pid);
    }
    return status !== '';
  }, 'it was lost too often');
  expect(status).toBe('interrupted');
  expect(started.restarts).toEqual([1, 2, 3]);
});

test('calls in flight are interrupted by a shutdown, and later ones too', async () => {
  await using engine = await TestEngine.start();
  const started = engine.start(hostile('endless-loop'));
  const frozen = engine.start(mixed, { action: 'freeze' });
  await engine.engine.shutdown();
  expect(await started.outcome).toEqual({ status: 'interrupted' });
  expect(await frozen.outcome).toEqual({ status: 'interrupted' });
  expect(await engine.call(mixed, { action: 'echo' })).toEqual({ status: 'interrupted' });
});
