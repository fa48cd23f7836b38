import { afterAll, describe, expect, it } from 'vitest';
import { type BuildOptions, buildConnector } from '../../src/build/build-connector.ts';
import { BuildError, formatProblem } from '../../src/build/problem.ts';
import { parseBundle, sha256 } from '../../src/contract/index.ts';
import { createEngine } from '../../src/runtime/engine/engine.ts';
import { connector, project } from './support.ts';

const engine = createEngine({ processes: 1 });
afterAll(() => engine.shutdown());

function build(dir: string, options: Partial<BuildOptions> = {}) {
  return buildConnector({ dir, describe: (bundle, timeoutMs) => engine.describe(bundle, timeoutMs), ...options });
}

/** The problems for which a project is refused, as they are printed. */
async function refused(files: Readonly<Record<string, string>>): Promise<string[]> {
  const dir = await project(files);
  const error = await build(dir).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof BuildError)) throw error ?? new Error('it was built');
  return error.problems.map(formatProblem);
}

describe('a built connector', () => {
  const files = {
    'src/index.ts': connector(
      'const { part } = await import("./part.ts"); return part(legacy);',
      "import legacy from './legacy.cjs';",
    ),
    'src/part.ts': 'export const part = (value: unknown) => ({ value });\n',
    'src/legacy.cjs': 'module.exports = { old: true };\n',
    'package.json': JSON.stringify({ name: 'x', author: { name: 'Ada' }, license: 'MIT' }),
    'README.md': '# Sample\r\nText\r\n',
    'node_modules/dep/package.json': JSON.stringify({ name: 'dep', main: 'index.js' }),
    'node_modules/dep/index.js': 'exports.dep = 1;',
  };

  it('is a sound bundle, with the manifest of its definition', async () => {
    const built = await build(await project(files));
    const { bundle, digest } = parseBundle(new TextEncoder().encode(built.text));
    expect(digest).toBe(built.digest);
    expect(built.fileName).toBe('sample-1.0.0.goflow.json');
    expect(bundle.manifest).toMatchObject({
      name: 'sample',
      version: '1.0.0',
      author: 'Ada',
      license: 'MIT',
      actions: { go: {} },
    });
    expect(bundle.manifest.digests['plugin.js']).toBe(sha256(bundle.files['plugin.js']));
    expect(Object.keys(bundle.manifest.digests).sort()).toEqual(Object.keys(bundle.files).sort());
    expect(bundle.files['README.md']).toBe('# Sample\nText\n');
  });

  it('has the same bytes, wherever it is built', async () => {
    const withDependency = {
      ...files,
      'src/index.ts': files['src/index.ts'].replace(
        'import legacy',
        "import { dep } from 'dep';\nexport { dep };\nimport legacy",
      ),
    };
    const [first, second] = await Promise.all([
      build(await project(withDependency)),
      build(await project(withDependency)),
    ]);
    expect(first.text).toBe(second.text);
    expect(first.text).not.toContain('goflow-project-');
    expect(first.text).not.toContain(process.cwd());
  });

  it('has a source map with names that are relative to the project', async () => {
    const { bundle } = await build(
      await project({ ...files, 'src/index.ts': `import 'dep';\n${files['src/index.ts']}` }),
    );
    const map = JSON.parse(bundle.files['plugin.js.map'] ?? '') as { sources: string[] };
    expect(map.sources).toEqual(
      expect.arrayContaining(['src/index.ts', 'src/part.ts', 'src/legacy.cjs', 'node_modules/dep/index.js']),
    );
    expect(map.sources.filter((source) => /^(?:[/\\]|\.\.|[a-z]:)/i.test(source))).toEqual([]);
  });

  it('gets another digest when the source changes', async () => {
    const [first, second] = await Promise.all([
      build(await project(files)),
      build(await project({ ...files, 'src/part.ts': 'export const part = () => 2;\n' })),
    ]);
    expect(first.digest).not.toBe(second.digest);
  });

  it('takes another entry, and puts a scope into the file name', async () => {
    const dir = await project({ 'lib/main.ts': connector('return 1;').replace("'sample'", "'@acme/sample'") });
    expect((await build(dir, { entry: 'lib/main.ts' })).fileName).toBe('acme-sample-1.0.0.goflow.json');
  });

  it('prefers what a package has for edge runtimes', async () => {
    const { bundle } = await build(
      await project({
        'src/index.ts': connector('return flavour;', "import { flavour } from 'two';"),
        'node_modules/two/package.json': JSON.stringify({
          name: 'two',
          exports: { '.': { node: './node.js', workerd: './edge.js', default: './node.js' } },
        }),
        'node_modules/two/node.js': "import 'node:fs'; export const flavour = 'made for Node';",
        'node_modules/two/edge.js': "export const flavour = 'made for the edge';",
      }),
    );
    expect(bundle.files['plugin.js']).toContain('made for the edge');
  });
});

describe('what a connector cannot have is refused', () => {
  it.each<[what: string, source: string, problem: RegExp]>([
    [
      'a node: import',
      connector('return readFile;', "import { readFile } from 'node:fs/promises';"),
      /^src\/index\.ts:2:26: "node:fs\/promises" is a Node module.*ctx\.storage/,
    ],
    [
      'a Node module without the prefix',
      connector('return net;', "import net from 'net';"),
      /^src\/index\.ts:2:17: "net" is a Node module.*ctx\.connect/,
    ],
    ['node:crypto', connector('return c;', "import * as c from 'node:crypto';"), /globalThis\.crypto/],
    [
      'a package that is not installed',
      connector('return x;', "import x from '@scope/left-pad/deep';"),
      /^src\/index\.ts:2:15: The package "@scope\/left-pad\/deep" is not installed\. Run: npm install @scope\/left-pad$/,
    ],
    [
      'a file that is not there',
      connector('return x;', "import x from './x.ts';"),
      /^src\/index\.ts:2:15: "\.\/x\.ts" was not found/,
    ],
    [
      'a dynamic import of something unknown',
      connector('\n return import("./" + input);'),
      /^src\/index\.ts:8:\d+: import\(\) of something that is known only at run time/,
    ],
    ['a dynamic import of a Node module', connector('return import("node:fs");'), /"node:fs" is a Node module/],
    ['eval', connector('return eval("1");'), /^src\/index\.ts:7:55: eval\(\) of new code/],
    [
      'await outside of a function',
      connector('return 1;', 'await 1;'),
      /^src\/index\.ts:2:1: await outside of a function/,
    ],
    ['a syntax error', 'export default {', /^src\/index\.ts:1:\d+: Expected/],
    [
      'another part of the SDK',
      connector('return x;', "import * as x from '@goflow/plugin-sdk/runtime';"),
      /is not for connectors/,
    ],
  ])('%s', async (_what, source, problem) => {
    expect((await refused({ 'src/index.ts': source }))[0]).toMatch(problem);
  });

  it('a native addon', async () => {
    const problems = await refused({
      'src/index.ts': connector('return x;', "import x from './x.node';"),
      'src/x.node': '',
    });
    expect(problems[0]).toMatch(/^src\/index\.ts:2:15: "x\.node" is a native addon/);
  });

  it('a package that needs Node, with the file that asks', async () => {
    const [problem] = await refused({
      'src/index.ts': connector('return x;', "import x from 'dep';"),
      'node_modules/dep/package.json': '{"name":"dep","main":"index.js"}',
      'node_modules/dep/index.js': "module.exports = require('http');",
    });
    expect(problem).toMatch(/^node_modules\/dep\/index\.js:1:26: "http" is a Node module.*edge runtimes.*ctx\.fetch/);
  });

  it('but a Node module that a package can do without is left to the package', async () => {
    const built = await build(
      await project({
        'src/index.ts': connector('return x;', "import x from 'dep';"),
        'node_modules/dep/package.json': '{"name":"dep","main":"index.js","browser":{"fs":false}}',
        'node_modules/dep/index.js':
          "let c; try { c = require('crypto') } catch { c = null }\nmodule.exports = [c, require('fs')];",
      }),
    );
    expect(built.manifest.name).toBe('sample');
  });
});

describe('a definition that is not sound', () => {
  it('is told with file, line and column for each fault', async () => {
    const source = `import { defineAction, defineConnector } from '@goflow/plugin-sdk';
export default defineConnector({
  name: 'Sample',
  version: '1.0.0',
  permissions: { net: ['https://example.com/'] },
  actions: {
    go: defineAction({
      input: {
        type: 'object',
        properties: { path: { type: 'text' as 'string' } },
      },
      run: () => null,
    }),
  },
});
`;
    const problems = await refused({ 'src/index.ts': source });
    expect(problems).toHaveLength(3);
    expect(problems).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^src\/index\.ts:3:3: \/name /),
        expect.stringMatching(/^src\/index\.ts:5:18: \/permissions\/net\/0 .*scheme/),
        expect.stringMatching(/^src\/index\.ts:10:31: \/actions\/go\/input\/properties\/path\/type /),
      ]),
    );
  });

  it.each<[what: string, source: string, problem: RegExp]>([
    ['code that throws', "throw new Error('boom');", /cannot be loaded in the sandbox.*boom/],
    ['code that wants the environment', 'export default process.env;', /cannot be loaded in the sandbox/],
    ['no default export', 'export const x = 1;', /cannot be loaded in the sandbox/],
    ['a field that the build sets', connector('return 1;', '', " sdk: '9.9.9',"), /\/sdk is set by the build/],
  ])('%s is refused', async (_what, source, problem) => {
    expect((await refused({ 'src/index.ts': source }))[0]).toMatch(problem);
  });

  it('that is not there is told with the file that was looked for', async () => {
    expect(await refused({})).toEqual([expect.stringMatching(/^src\/index\.ts: does not exist\..*--entry/)]);
  });

  it('stands in a package.json that is not JSON', async () => {
    expect(await refused({ 'src/index.ts': connector('return 1;'), 'package.json': '{' })).toEqual([
      expect.stringMatching(/^package\.json: is not JSON/),
    ]);
  });
});
