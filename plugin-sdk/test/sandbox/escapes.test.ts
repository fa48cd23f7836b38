import { readFileSync, readdirSync } from 'node:fs';
import vm from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ESCAPE_TOOLS } from './escape-tools.ts';
import { TestLane, bundleOf } from './lane.ts';

// A fixture returns what it got hold of. Nothing, or a throw, means that the wall held.
const folder = new URL('escapes/', import.meta.url);
const fixtures = readdirSync(folder)
  .filter((file) => file.endsWith('.js'))
  .map((file) => {
    const text = readFileSync(new URL(file, folder), 'utf8');
    const [comment = '', ...rest] = text.split('\n');
    return { id: file.slice(0, -3), tries: comment.slice(3), code: rest.join('\n').replace('export default ', '') };
  });

const RUN = `async function attempt(escape, ctx, input) {
  try {
    const got = await escape(ctx, input, tools);
    return got === undefined || got === null ? 'held' : 'escaped with ' + typeof got + ' ' + String(got).slice(0, 200);
  } catch (error) {
    return 'held';
  }
}`;

describe('the crawler of the fixtures, turned loose on plain Node,', () => {
  const crawl = vm.runInThisContext(`(() => {${ESCAPE_TOOLS} return tools.crawl; })()`) as (
    root: unknown,
  ) => string | null;
  test.each([
    ['a function whose constructor evaluates code', { f: () => 1 }, /evaluates code/],
    [
      'an object of Node behind a getter',
      Object.create(null, { signal: { get: () => AbortSignal.abort() } }),
      /evaluates code|of Node/,
    ],
    ['a Buffer', [Object.setPrototypeOf(new Uint8Array(1), Buffer.prototype)], /evaluates code|of Node/],
  ])('finds %s', (_what, root, verdict) => {
    expect(crawl(root)).toMatch(verdict);
  });
});

describe('a connector that tries to get out is held, though', () => {
  let lane: TestLane;
  beforeAll(async () => {
    const actions = fixtures.map(({ id, code }) => {
      const escape = code.trim().replace(/;$/, '');
      return `${JSON.stringify(id)}: (ctx, input) => attempt(${escape}, ctx, input)`;
    });
    lane = await TestLane.ofActions(`{${actions.join(',\n')}}`, `${ESCAPE_TOOLS}\n${RUN}`);
  });
  afterAll(async () => await lane[Symbol.asyncDispose]());

  test.each(fixtures)('$tries ($id)', async ({ id }) => {
    const output = await lane.output({
      action: id,
      input: { nested: { list: [1] } },
      context: { credential: { api_key: 'secret' } },
      broker: () => ({
        status: 200,
        statusText: '',
        url: 'https://a.example/',
        redirected: false,
        headers: [],
        bytes: null,
        body: null,
      }),
    });
    expect(output).toBe('held');
  });
});

describe('code that the loader must refuse', () => {
  test.each([
    ['dynamic import', "import('node:fs')"],
    ['dynamic import with a comment in it', "import/**/('node:fs')"],
    ['dynamic import over two lines', "import\n('node:fs')"],
    ['dynamic import with a line separator', "import\u2028('node:fs')"],
    ['dynamic import after a spread', "[...import('node:fs')]"],
    ['import.meta', 'import.meta.url'],
    ['a static import', "null; } }; import fs from 'node:fs'; ({ x() {"],
    ['an HTML comment', 'null <!-- x'],
    ['with', 'null; with ({}) {}'],
  ])('%s never runs', async (_what, expression) => {
    await using lane = await TestLane.ofActions(`{ main: async () => { return ${expression}; } }`);
    const { code, message } = await lane.error();
    expect(code).toBe('CONNECTOR_ERROR');
    expect(message).toMatch(/^the bundle's code failed while loading: /);
    expect(message).not.toMatch(/node:internal|file:|\/\w+\/\w+\//);
  });

  test.each([
    ['import.source', "import.source('node:fs')"],
    ['import.source with comments', "import . /**/ source('node:fs')"],
    ['import.defer', "import.defer('node:fs')"],
  ])('%s loads no module', async (_what, expression) => {
    await using lane = await TestLane.ofActions(`{ main: async () => { await ${expression}; return 'loaded'; } }`);
    const ended = await lane.call();
    expect(ended).toMatchObject({ ok: false });
  });

  test('code that closes the function around it gains nothing', async () => {
    const code = `module.exports = {}; }; }); globalThis.seen = [typeof goflowOuter, typeof process, typeof goflowGuest]; (function () { return function (module, exports) {
      module.exports = { actions: { main: { run: () => globalThis.seen } } };`;
    await using lane = await TestLane.start(code);
    expect(await lane.output()).toEqual(['undefined', 'undefined', 'undefined']);
  });
});

describe('tenants share a worker and nothing else', () => {
  test('module state of a bundle does not cross them', async () => {
    await using lane = await TestLane.start(bundleOf('{ main: async () => ++count }', 'let count = 0;'));
    const counts = [];
    for (const tenantId of ['a', 'a', 'b', 'a', 'b']) counts.push(await lane.output({ context: { tenantId } }));
    expect(counts).toEqual([1, 2, 1, 3, 2]);
  });

  test('globals and classes that one tenant changed are whole for the other', async () => {
    const actions = `{
      spoil: async () => { globalThis.mark = 1; URL.prototype.mark = 1; console.mark = 1; fetch.mark = 1; Headers.prototype.get = () => 'x'; },
      look: async () => [typeof mark, globalThis.mark, URL.prototype.mark, console.mark, fetch.mark, new Headers({ a: 'b' }).get('a')],
    }`;
    await using lane = await TestLane.ofActions(actions);
    await lane.output({ action: 'spoil', context: { tenantId: 'a' } });
    const seen = await lane.output({ action: 'look', context: { tenantId: 'b' } });
    expect(seen).toEqual(['undefined', null, null, null, null, 'b']);
  });

  test('a mark left on everything that can be reached is not found by the other', async () => {
    const actions = `{
      leave: async (ctx) => { let left = 0; tools.reach([globalThis, ctx], (found) => { if (Reflect.defineProperty(found, 'stash', { value: 1, configurable: true })) left++; }); return left; },
      find: async (ctx) => tools.reach([globalThis, ctx], (found, path) => (Object.hasOwn(found, 'stash') ? path : null)),
    }`;
    await using lane = await TestLane.ofActions(actions, ESCAPE_TOOLS);
    expect(await lane.output({ action: 'leave', context: { tenantId: 'a' } })).toBeGreaterThan(10);
    expect(await lane.output({ action: 'find', context: { tenantId: 'b' } })).toBe(null);
  });
});
