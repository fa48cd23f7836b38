import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestLane } from './lane.ts';

const ACTIONS = `{
  plain: async () => ({ a: [1, 'x', null, true], o: { b: -0.5 }, __proto__: null, u: undefined, s: [undefined], ['__proto__']: 1 }),
  nothing: async () => {},
  synchronous: () => 'now',
  dates: async () => ({ at: new Date(0), own: { toJSON: (key) => 'for ' + key } }),
  aFunction: async () => ({ a: [{ 'b/c~d': () => 1 }] }),
  aSymbol: async () => [Symbol('x')],
  aBigint: async () => 1n,
  aNaN: async () => ({ n: NaN }),
  infinity: async () => [-Infinity],
  aMap: async () => ({ m: new Map([[1, 2]]) }),
  bytes: async () => new Uint8Array(4),
  aPromiseInside: async () => ({ p: Promise.resolve(1) }),
  itself: async () => { const a = { list: [] }; a.list.push(a); return a; },
  twice: async () => { const a = { x: 1 }; return [a, a]; },
  deep: async () => { let a = 1; for (let i = 0; i < 5000; i++) a = [a]; return a; },
  deepEnough: async () => { let a = 1; for (let i = 0; i < 199; i++) a = [a]; return a; },
  tooLarge: async () => 'x'.repeat(6 * 1024 * 1024),
  manySmall: async () => Array.from({ length: 2_000_000 }, () => 12345),
  sparse: async () => new Array(4_000_000_000),
  endlessProxy: async () => new Proxy([], { get: (target, key) => (key === 'length' ? 2 ** 53 - 1 : key === 'toJSON' ? undefined : 7) }),
  throwingGetter: async () => ({ get a() { throw new Error('not yours'); } }),
  throwingKeys: async () => new Proxy({}, { ownKeys() { throw 'no keys'; } }),
  revoked: async () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return { proxy }; },
  changing: async () => { let reads = 0; return { get a() { return reads++ === 0 ? 'first' : () => 'later'; } }; },
  toJsonChanges: async () => { const o = { toJSON() { o.toJSON = null; return { toJSON: () => 'again', n: 1 }; } }; return o; },
  thenable: async () => ({ then(resolve) { resolve('resolved'); resolve('twice'); } }),
  throwingThen: async () => ({ get then() { throw new Error('no then'); } }),
  rejectingThen: async () => ({ then(_resolve, reject) { reject({ code: 'X' }); } }),
  brokenPromise: () => { const p = Promise.resolve(1); Object.defineProperty(p, 'constructor', { get() { throw new Error('no constructor'); } }); return p; },
  lone: async () => 'a\\ud800b',
  echo: async (_ctx, input) => input,
  inherited: async () => { class A { get hidden() { return 1; } own = 2; } return new A(); },
}`;

describe('what an action returns', () => {
  let lane: TestLane;
  beforeAll(async () => {
    lane = await TestLane.ofActions(ACTIONS);
  });
  afterAll(async () => await lane[Symbol.asyncDispose]());

  test.each<[string, string, unknown]>([
    [
      'plain data arrives as it is, without undefined members',
      'plain',
      JSON.parse('{"a":[1,"x",null,true],"o":{"b":-0.5},"s":[null],"__proto__":1}'),
    ],
    ['nothing arrives as null', 'nothing', null],
    ['an action need not be async', 'synchronous', 'now'],
    ['toJSON is respected and gets its key', 'dates', { at: '1970-01-01T00:00:00.000Z', own: 'for own' }],
    ['the same object twice is no cycle', 'twice', [{ x: 1 }, { x: 1 }]],
    ['a getter is read once', 'changing', { a: 'first' }],
    ['a thenable is resolved once', 'thenable', 'resolved'],
    ['half a surrogate pair survives', 'lone', 'a\ud800b'],
    ['getters of a class are not members', 'inherited', { own: 2 }],
  ])('%s', async (_what, action, expected) => {
    expect(await lane.output({ action })).toEqual(expected);
  });

  test.each([
    ['a function', 'aFunction', '/a/0/b~1c~0d'],
    ['a symbol', 'aSymbol', '/0'],
    ['a bigint', 'aBigint', ''],
    ['NaN', 'aNaN', '/n'],
    ['an infinity', 'infinity', '/0'],
    ['a Map', 'aMap', '/m'],
    ['bytes', 'bytes', ''],
    ['a promise that was not awaited', 'aPromiseInside', '/p'],
    ['a cycle', 'itself', '/list/0'],
    ['a toJSON that gives another function', 'toJsonChanges', '/toJSON'],
  ])('%s is RESULT_NOT_JSON and says where', async (_what, action, pointer) => {
    expect(await lane.error({ action })).toMatchObject({
      code: 'RESULT_NOT_JSON',
      retryable: false,
      details: { pointer },
    });
  });

  test('too many levels are RESULT_NOT_JSON, 199 are not', async () => {
    expect(await lane.error({ action: 'deep' })).toMatchObject({ code: 'RESULT_NOT_JSON' });
    expect(await lane.call({ action: 'deepEnough' })).toMatchObject({ ok: true });
  });

  test.each(['tooLarge', 'manySmall', 'sparse', 'endlessProxy'])('%s is RESULT_TOO_LARGE', async (action) => {
    expect(await lane.error({ action })).toMatchObject({ code: 'RESULT_TOO_LARGE' });
  });

  test.each([
    ['throwingGetter', 'not yours'],
    ['throwingKeys', 'no keys'],
    ['revoked', 'revoked'],
    ['throwingThen', 'no then'],
    ['brokenPromise', 'no constructor'],
  ])('%s fails its own call only', async (action, message) => {
    const other = lane.begin({ action: 'echo', input: 1 });
    expect((await lane.error({ action })).message).toContain(message);
    expect(await other.ended).toMatchObject({ ok: true, output: 1 });
  });

  test('input arrives as data, odd keys included', async () => {
    const input = JSON.parse('{"__proto__":{"x":1},"constructor":2,"":[{}]}');
    expect(await lane.output({ action: 'echo', input })).toEqual(input);
  });

  test('an action that does not exist is an error that names it', async () => {
    for (const action of ['nope', 'constructor', '__proto__', 'toString']) {
      expect(await lane.error({ action })).toEqual({
        code: 'CONNECTOR_ERROR',
        message: `the bundle has no action "${action}"`,
        retryable: false,
        details: { name: 'TypeError' },
      });
    }
  });
});
