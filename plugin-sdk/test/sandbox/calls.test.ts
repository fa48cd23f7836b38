import { describe, expect, test } from 'vitest';
import { CLAIM_TAKEN } from '../../src/runtime/protocol/worker.ts';
import { CONTEXT, TestLane } from './lane.ts';

describe('a lane', () => {
  test('runs a call only when its claim is open', async () => {
    await using lane = await TestLane.ofActions('{ main: async () => 1 }');
    const revoked = lane.beginRevoked();
    const open = lane.begin();
    expect(await revoked.ended).toMatchObject({ error: { code: 'SKIPPED' } });
    expect(await open.ended).toMatchObject({ ok: true });
    expect(Atomics.load(new Int32Array(lane.claims), open.key)).toBe(CLAIM_TAKEN);
  });

  test('runs many calls at once, each with its own context', async () => {
    await using lane = await TestLane.ofActions(
      '{ main: async (ctx, n) => { await ctx.sleep(20 - n); await null; console.log(n); return [n, ctx.runId]; } }',
    );
    const calls = Array.from({ length: 16 }, (_, n) => lane.begin({ input: n, context: { runId: `run_${n}` } }));
    for (const [n, call] of calls.entries()) {
      expect(await call.ended).toMatchObject({ output: [n, `run_${n}`] });
      expect(call.logs.map(({ message }) => message)).toEqual([`${n}`]);
    }
  });

  test('answers pings, and returns when it was stopped and its last call has ended', async () => {
    await using lane = await TestLane.ofActions('{ main: async (ctx) => { await ctx.sleep(20); return 1; } }');
    await lane.ping();
    const call = lane.begin();
    lane.send({ type: 'stop' });
    expect(await call.ended).toMatchObject({ ok: true });
    await lane.returned;
  });

  test('describes the definition as data, without run', async () => {
    const code = `module.exports = { default: { name: 'x', version: '1.2.3', permissions: { net: ['a.example'] }, actions: {
      send: { title: 'Send', input: { type: 'object' }, async run() {} }, get: { run() {} } } } };`;
    await using lane = await TestLane.start(code);
    expect(await lane.describe()).toMatchObject({
      ok: true,
      output: {
        name: 'x',
        version: '1.2.3',
        permissions: { net: ['a.example'] },
        actions: { send: { title: 'Send', input: { type: 'object' } }, get: {} },
      },
    });
  });

  test.each([
    [
      'an action without run',
      "module.exports = { name: 'x', actions: { send: {} } }",
      /action "send" has no function "run"/,
    ],
    ['no connector', 'module.exports = null', /exports no connector/],
    ['no actions', "module.exports = { name: 'x' }", /has no "actions"/],
    [
      'a definition that is not JSON',
      "module.exports = { name: 'x', hook() {}, actions: {} }",
      /the definition is not JSON: a function is not JSON, at "\/hook"/,
    ],
    ['code that throws', "throw new Error('bad')", /the bundle's code failed while loading: bad/],
    ['network while loading', "fetch('https://a.example'); setInterval(() => {}, 1)", /timers only inside an action/],
  ])('says what is wrong with a definition: %s', async (_what, code, message) => {
    await using lane = await TestLane.start(code);
    expect(await lane.describe()).toMatchObject({
      ok: false,
      error: { code: 'CONNECTOR_ERROR', message: expect.stringMatching(message) },
    });
  });

  test('forgets the compartments of tenants that have been quiet longest', async () => {
    await using lane = await TestLane.ofActions('{ main: async () => ++count }', 'let count = 0;');
    const count = (tenantId: string) => lane.output({ context: { tenantId } });
    await count('first');
    for (let i = 0; i < 40; i++) await count(`tenant-${i}`);
    expect(await count('tenant-39')).toBe(2);
    expect(await count('first')).toBe(1);
  });
});

describe('the context of a call', () => {
  test('holds the data of the run, frozen where it is shared', async () => {
    const actions = `{ main: async (ctx) => {
      const { log, fetch } = ctx; log.info('taken off'); fetch;
      try { ctx.credential.key = 1; } catch (error) { log.warn(error.message); }
      const { traceId, traceparent, runId, workflowId, stepId, attempt, idempotencyKey, tenantId, userId, credential } = ctx;
      return { ids: { traceId, traceparent, runId, workflowId, stepId, attempt, idempotencyKey, tenantId, userId, credential },
        remaining: ctx.remaining(), left: ctx.deadline - Date.now(), same: ctx.log === ctx.log && ctx.signal === ctx.signal && ctx.fetch === ctx.fetch };
    } }`;
    await using lane = await TestLane.ofActions(actions);
    const call = lane.begin({ context: { credential: { key: 'k', nested: { x: 1 } } }, remainingMs: 5000 });
    const ended = await call.ended;
    expect(ended).toMatchObject({
      output: { ids: { ...CONTEXT, credential: { key: 'k', nested: { x: 1 } } }, same: true },
    });
    expect(call.logs.map(({ level }) => level)).toEqual(['info', 'warn']);
    const { remaining, left } = (ended as unknown as { output: { remaining: number; left: number } }).output;
    expect(remaining).toBeGreaterThan(0);
    expect(remaining).toBeLessThanOrEqual(5000);
    expect(left).toBeLessThanOrEqual(5000);
  });

  test.each([
    ['deadline', 'TimeoutError', 'DEADLINE_EXCEEDED'],
    ['cancelled', 'AbortError', 'CANCELLED'],
  ] as const)('its signal fires on %s, and what waits for the broker fails', async (reason, name, code) => {
    const actions = `{ main: async (ctx) => {
      ctx.signal.addEventListener('abort', () => console.log('fired', ctx.signal.reason.name));
      const outcomes = await Promise.allSettled([ctx.sleep(60_000), ctx.fetch('https://a.example'), ctx.storage.get('k')]);
      const after = await ctx.fetch('https://a.example').catch((error) => error.code);
      return [...outcomes.map(({ reason }) => reason.code ?? reason.name), after];
    } }`;
    await using lane = await TestLane.ofActions(actions);
    const call = lane.begin();
    await lane.ping();
    call.abort(reason);
    const ended = await call.ended;
    expect(call.logs.map(({ message }) => message)).toEqual([`fired ${name}`]);
    expect(ended).toMatchObject({ output: [name === 'AbortError' ? 20 : 23, code, code, code] });
    expect(call.asked).toHaveLength(2);
  });

  test('a signal that is first looked at after the abort has fired already', async () => {
    await using lane = await TestLane.ofActions(
      `{ main: async (ctx) => { await new Promise((r) => setTimeout(r, 30)); return ctx.signal.aborted; } }`,
    );
    const call = lane.begin();
    call.abort('cancelled');
    expect(await call.ended).toMatchObject({ output: true });
  });

  test('after the end nothing of it works: no request, no log, no progress, no timer', async () => {
    const actions = `{
      leak: async (ctx) => { globalThis.old = ctx; globalThis.late = []; setTimeout(() => late.push('timer'), 1); setInterval(() => late.push('interval'), 1);
        globalThis.oldFetch = ctx.fetch; return 1; },
      use: async (ctx) => {
        await ctx.sleep(20);
        old.log.info('late'); old.progress(1); await old.span('late', () => {});
        const tries = [() => oldFetch('https://a.example'), () => old.storage.set('a', 1), () => old.connect('a.example:1'), () => old.sleep(1)];
        for (const attempt of tries) try { await attempt(); late.push('worked'); } catch (error) { late.push(error.message); }
        return late;
      },
    }`;
    await using lane = await TestLane.ofActions(actions);
    const leaking = lane.begin({ action: 'leak' });
    await leaking.ended;
    const gone = 'the call has ended: its context works no more';
    expect(await lane.output({ action: 'use' })).toEqual([gone, gone, gone, gone]);
    expect([leaking.logs, leaking.asked, leaking.progress, leaking.spans, lane.strays]).toEqual([[], [], [], [], []]);
  });

  test('global fetch belongs to the call whose code runs it', async () => {
    await using lane = await TestLane.ofActions(
      `{ main: async (ctx, n) => { await ctx.sleep(n); await Promise.all([1].map(async () => { await null; await fetch('https://a.example/' + n); })); return n; } }`,
    );
    const broker = () => ({
      status: 200,
      statusText: '',
      url: '',
      redirected: false,
      headers: [],
      bytes: null,
      body: null,
    });
    const calls = [1, 2, 3, 4].map((n) => lane.begin({ input: n, broker }));
    for (const [i, call] of calls.entries()) {
      await call.ended;
      expect(call.asked).toMatchObject([{ op: 'fetch', request: { url: `https://a.example/${i + 1}` } }]);
    }
  });

  test('spans give what their work gives, and are told with a bounded name, at most 100 of them', async () => {
    await using lane = await TestLane.ofActions(
      `{ main: async (ctx) => {
        const kept = [await ctx.span('slow', () => ctx.sleep(20).then(() => 1)), await ctx.span('n'.repeat(500), () => 2)];
        kept.push(await ctx.span({ toString() { return 'bad'; } }, () => { throw new RangeError('x'); }).catch((error) => error.message));
        for (let i = 0; i < 200; i++) await ctx.span('more', () => i);
        return kept;
      } }`,
    );
    const call = lane.begin();
    expect(await call.ended).toMatchObject({ ok: true, output: [1, 2, 'x'] });
    const [slow, long, thrown] = call.spans;
    expect(slow).toMatchObject({ name: 'slow', failed: false });
    expect(slow?.durationMs).toBeGreaterThan(15);
    expect(long?.name).toHaveLength(128);
    expect(thrown).toMatchObject({ name: 'bad', failed: true });
    expect(call.spans).toHaveLength(100);
  });

  test('progress is told, clamped to 0 and 1', async () => {
    await using lane = await TestLane.ofActions(
      `{ main: async (ctx) => { ctx.progress(0.5, 'half'); ctx.progress(7); ctx.progress(NaN); } }`,
    );
    const call = lane.begin();
    await call.ended;
    expect(call.progress.map(({ fraction, message }) => [fraction, message])).toEqual([
      [0.5, 'half'],
      [1, null],
      [0, null],
    ]);
  });

  test('storage goes through the broker as JSON', async () => {
    const kept = new Map<string, string>();
    await using lane = await TestLane.ofActions(`{ main: async ({ storage }) => {
      await storage.set('a', { n: [1, undefined] }); const got = await storage.get('a'); await storage.delete('a');
      const refused = await storage.set('b', () => 1).catch((error) => error.message);
      return [got, await storage.get('a') === undefined, await storage.list(), refused];
    } }`);
    const output = await lane.output({
      broker(request) {
        if (request.op === 'storage.set') kept.set(request.key, JSON.stringify(request.value));
        if (request.op === 'storage.delete') kept.delete(request.key);
        if (request.op === 'storage.list') return ['x', 'y'];
        return request.op === 'storage.get' ? (kept.get(request.key) ?? null) : null;
      },
    });
    expect(output).toEqual([
      { n: [1, null] },
      true,
      ['x', 'y'],
      expect.stringMatching(/the value to store is not JSON/),
    ]);
  });

  test('a request that the engine would not take is refused in the worker', async () => {
    const actions = `{ main: async (ctx) => {
      Object.defineProperty(Request.prototype, 'url', { get: () => ({ toString: () => 'https://a.example', toJSON: () => ({ not: 'text' }) }) });
      const tries = [() => ctx.storage.get('k'.repeat(100_000)), () => ctx.fetch('https://a.example')]; const said = [];
      for (const attempt of tries) try { await attempt(); said.push('sent'); } catch (error) { said.push(error.message); }
      return said;
    } }`;
    await using lane = await TestLane.ofActions(actions);
    const call = lane.begin();
    expect(await call.ended).toMatchObject({
      output: ['storage.get: the request is malformed or too large', 'fetch: the request is malformed or too large'],
    });
    expect(call.asked).toEqual([]);
  });

  test('a connector that breaks its own signal does not keep other calls from their answers', async () => {
    const actions = `{
      broken: async (ctx) => { const { signal } = ctx; signal.dispatchEvent = () => { throw 1; }; EventTarget.prototype.dispatchEvent = null; Event.prototype.type; await ctx.sleep(60_000); },
      other: async (ctx) => await ctx.storage.get('k'),
    }`;
    await using lane = await TestLane.ofActions(actions);
    const broken = lane.begin({ action: 'broken' });
    const other = lane.begin({ action: 'other' });
    await expect.poll(() => other.asked.length).toBe(1);
    lane.send(
      { type: 'abort', key: broken.key, reason: 'deadline' },
      { type: 'answer', key: other.key, call: 1, ok: true, value: '7' },
    );
    expect(await other.ended).toMatchObject({ output: 7 });
    expect(await broken.ended).toMatchObject({ ok: false });
  });
});
