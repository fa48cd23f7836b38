import { afterAll, expect, it } from 'vitest';
import { applyEdits, originalPosition } from '../../src/build/edit.ts';
import { findEvasions } from '../../src/build/evade.ts';
import { openConnector } from '../../src/testing/open-connector.ts';
import { connector, project } from './support.ts';

const NO_MAP = { version: 3, sources: [], names: [], mappings: '' } as const;

function evaded(code: string): string {
  return applyEdits(code, NO_MAP, findEvasions(code).edits).code;
}

it.each([
  [`"import('x')"`, `"i\\x6dport('x')"`],
  ['`import ( ${"<!--"} -->`', '`i\\x6dport ( ${"<\\x21--"} --\\x3e`'],
  ['/import(a|b)[<!--x][-->]/', '/i\\x6dport(a|b)[<\\x21--x][--\\x3e]/'],
  ['({import(x){},eval(y){}})', '({["import"](x){},["eval"](y){}})'],
  ['o.import(1);o?.eval(2)', 'o.import(1);o?.eval(2)'],
  ['eval("1")', '(0,eval)("1")'],
  ['while(n-->0);', 'while(n-- >0);'],
  ['/* import( */ 1', '/* i_port( */ 1'],
])('%s is written as %s', (code, expected) => {
  expect(evaded(code)).toBe(expected);
});

it('tells real dynamic imports by their place', () => {
  expect(findEvasions('f();import(x)').dynamicImports).toEqual([4]);
  expect(findEvasions('[...import(x)]').dynamicImports).toEqual([4]);
});

it('moves the columns of the source map along', () => {
  // One segment at column 0 and one at column 15 (source 0, line 0, columns 0 and 15).
  const code = '"import(1)";f();g()';
  const map = { version: 3, sources: ['a.ts'], names: [], mappings: 'AAAA,eAAe' } as const;
  const made = applyEdits(code, map, findEvasions(code).edits);
  expect(made.code).toBe('"i\\x6dport(1)";f();g()');
  expect(originalPosition(made.code, made.map, made.code.indexOf(';g()'))).toEqual({
    source: 'a.ts',
    line: 0,
    column: 15,
  });
  expect(originalPosition(made.code, made.map, made.code.indexOf('f()') + 2)).toEqual({
    source: 'a.ts',
    line: 0,
    column: 0,
  });
});

let opened: { close(): Promise<void> } | undefined;
afterAll(() => opened?.close());

it('text that looks like an import, a comment or an eval comes out of the sandbox unchanged', async () => {
  const top = String.raw`
const raw = String.raw${'`import(\\n) <!-- eval(`'};
const plain = 'import(x) <!-- a --> eval(1)';
const template = ${'`import(${plain}) -->`'};
class Reader { import(x: number) { return x + 1; } static eval(x: number) { return x + 2; } }
let n = 3; while (n --> 0) {}`;
  const dir = await project({
    'src/index.ts': connector(
      'return { raw, plain, template, calls: [new Reader().import(1), Reader.eval(2)], found: /<!--|import(ed)/.test("imported") };',
      top,
    ),
  });
  const connected = await openConnector({ dir });
  opened = connected;
  expect(await connected.run('go')).toMatchObject({
    status: 'succeeded',
    output: {
      raw: 'import(\\n) <!-- eval(',
      plain: 'import(x) <!-- a --> eval(1)',
      template: 'import(import(x) <!-- a --> eval(1)) -->',
      calls: [2, 4],
      found: true,
    },
  });
});
