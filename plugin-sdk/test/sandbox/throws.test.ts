import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestLane } from './lane.ts';

const ACTIONS = `{
  connectorError: async () => { throw new ConnectorError('RATE_LIMITED', 'slow down', { retryable: true, details: { after: 3 } }); },
  badCode: async () => { throw new ConnectorError('not a code\\n', 'm', {}); },
  badDetails: async () => { throw new ConnectorError('X', 'm', { details: { f: () => 1 } }); },
  fakeBrand: async () => { throw { __proto__: new ConnectorError('STOLEN', 'm', {}) }; },
  error: async () => { throw new Error('boom'); },
  typeError: async () => null.x,
  synchronous: () => { throw new Error('at once'); },
  string: async () => { throw 'just text'; },
  nothing: async () => { throw undefined; },
  aNull: async () => { throw null; },
  symbol: async () => { throw Symbol('s'); },
  aFunction: async () => { throw () => {}; },
  proxyOfTraps: async () => { throw new Proxy({}, { getPrototypeOf() { throw 1; }, has() { throw 2; }, get() { throw 3; }, getOwnPropertyDescriptor() { throw 4; } }); },
  proxy: async () => { throw new Proxy({}, { get() { throw 1; }, getOwnPropertyDescriptor() { throw 2; } }); },
  getter: async () => { throw { get message() { throw new Error('inner'); } }; },
  hugeMessage: async () => { throw new Error('x'.repeat(1_000_000)); },
  messageObject: async () => { throw { message: { toString() { throw 1; } }, code: 'X' }; },
  overflow: async () => { const f = () => f(); f(); },
  rejects: () => Promise.reject(new Error('rejected')),
  ok: async () => 'ok',
}`;

const SDK = `const BRAND = Symbol.for('goflow.ConnectorError');
class ConnectorError extends Error {
  constructor(code, message, { retryable = false, details } = {}) {
    super(message);
    this.name = 'ConnectorError';
    this.code = code;
    this.retryable = retryable;
    this.details = details;
    this[BRAND] = true;
  }
}`;

describe('what an action throws', () => {
  let lane: TestLane;
  beforeAll(async () => {
    lane = await TestLane.ofActions(ACTIONS, SDK);
  });
  afterAll(async () => await lane[Symbol.asyncDispose]());

  test('a ConnectorError keeps its code, retryable and details', async () => {
    expect(await lane.error({ action: 'connectorError' })).toEqual({
      code: 'RATE_LIMITED',
      message: 'slow down',
      retryable: true,
      details: { after: 3 },
    });
  });

  test('a code that is none becomes CONNECTOR_ERROR; details that are not JSON are dropped', async () => {
    expect(await lane.error({ action: 'badCode' })).toMatchObject({ code: 'CONNECTOR_ERROR', message: 'm' });
    expect(await lane.error({ action: 'badDetails' })).toMatchObject({
      code: 'X',
      details: { dropped: expect.any(String) },
    });
  });

  test('the brand must be its own: inheriting from a ConnectorError is not being one', async () => {
    expect(await lane.error({ action: 'fakeBrand' })).toMatchObject({ code: 'CONNECTOR_ERROR' });
  });

  test.each([
    ['error', 'boom'],
    ['typeError', "Cannot read properties of null (reading 'x')"],
    ['synchronous', 'at once'],
    ['rejects', 'rejected'],
    ['string', 'the connector threw just text'],
    ['nothing', 'the connector threw undefined'],
    ['aNull', 'the connector threw null'],
    ['symbol', 'the connector threw Symbol(s)'],
    ['aFunction', 'the connector failed without a message'],
    ['proxy', 'the connector threw something that cannot be read'],
    ['proxyOfTraps', 'the connector threw something that cannot be read'],
    ['getter', 'the connector threw something that cannot be read'],
    ['messageObject', 'the connector failed without a message'],
    ['overflow', 'Maximum call stack size exceeded'],
  ])('%s fails the call with CONNECTOR_ERROR', async (action, message) => {
    expect(await lane.error({ action })).toMatchObject({ code: 'CONNECTOR_ERROR', message, retryable: false });
    expect(await lane.output({ action: 'ok' })).toBe('ok');
  });

  test('a message is cut to a size that can be kept', async () => {
    expect((await lane.error({ action: 'hugeMessage' })).message.length).toBeLessThan(9000);
  });
});

describe('code that fails while it is loaded', () => {
  test.each([
    ['a throw', "throw new Error('no luck')", /failed while loading: no luck$/],
    ['a throw of nothing', 'throw null', /failed while loading: the connector threw null$/],
    ['a syntax error', 'const = 1', /failed while loading: .*token/],
    [
      'fetch at top level',
      "fetch('https://a.example').then(() => {}, (e) => { globalThis.why = e.message }); module.exports = { actions: { main: { run: async (ctx) => { await ctx.sleep(1); return why; } } } }",
      null,
    ],
    ['a timer at top level', 'setTimeout(() => {}, 1)', /timers only inside an action/],
  ])('%s', async (_what, code, message) => {
    await using lane = await TestLane.start(code);
    if (message === null) expect(await lane.output()).toMatch(/^network only inside an action/);
    else expect(await lane.error()).toMatchObject({ code: 'CONNECTOR_ERROR', message: expect.stringMatching(message) });
  });

  test('what it logs goes to the call that made it load', async () => {
    await using lane = await TestLane.ofActions('{ main: async () => 1 }', "console.log('loading')");
    const call = lane.begin();
    await call.ended;
    expect(call.logs.map(({ message }) => message)).toEqual(['loading']);
  });
});

describe('what is thrown where nobody catches', () => {
  test.each([
    ['a timer', 'setTimeout(() => { throw new Error("late") }, 0)', 'uncaught in a timer: late'],
    ['a microtask', 'queueMicrotask(() => { throw new Error("late") })', 'uncaught in a microtask: late'],
    ['a rejected promise', 'void Promise.reject(new Error("late"))', 'uncaught promise rejection: late'],
    [
      'an async function that nobody awaits',
      'void (async () => { await null; throw "late" })()',
      'uncaught promise rejection: the connector threw late',
    ],
    [
      'a listener',
      'new EventTarget().addEventListener; const t = new EventTarget(); t.addEventListener("x", () => { throw new Error("late") }); t.dispatchEvent(new Event("x"))',
      'uncaught in a listener for "x": late',
    ],
    ['reportError', 'reportError(new Error("late"))', 'uncaught error: late'],
  ])('%s is logged to its run', async (_what, statement, message) => {
    await using lane = await TestLane.ofActions(
      `{ main: async (ctx) => { ${statement}; await ctx.sleep(5); return 'on' } }`,
    );
    const call = lane.begin();
    expect(await call.ended).toMatchObject({ ok: true, output: 'on' });
    expect(call.logs).toMatchObject([{ level: 'error', message }]);
  });

  test('after the end of the call it goes nowhere, and the worker lives', async () => {
    const actions = `{
      main: async () => {
        let reject; void new Promise((_resolve, no) => { reject = no; }); Promise.resolve().then(() => Promise.resolve()).then(() => reject(new Error('late')));
        void (async () => { for (let i = 0; i < 50; i++) await null; console.log('late'); throw new Error('late'); })();
        return 1;
      },
      other: async (ctx) => { await ctx.sleep(10); return 2; },
    }`;
    await using lane = await TestLane.ofActions(actions);
    const call = lane.begin();
    await call.ended;
    expect(await lane.output({ action: 'other' })).toBe(2);
    expect(call.logs).toEqual([]);
    expect(lane.strays).toEqual([]);
  });
});
