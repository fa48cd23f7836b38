import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseBundle } from '../../src/contract/index.ts';
import { emptyFolder, goflowPlugin } from './support.ts';

// What an author does with a new connector, outside of this repository and without an installation.
let folder: string;
let dir: string;
const bundleFile = 'dist/my-connector-0.1.0.goflow.json';

beforeAll(async () => {
  folder = await emptyFolder();
  dir = path.join(folder, 'my-connector');
  const made = await goflowPlugin(folder, 'init', 'my-connector');
  expect(made).toMatchObject({ status: 0, stdout: '' });
});

describe('a project of init', () => {
  it('is a whole project', async () => {
    expect((await readdir(dir)).sort()).toEqual([
      '.gitignore',
      'README.md',
      'package.json',
      'src',
      'test',
      'tsconfig.json',
    ]);
    expect(await readFile(path.join(dir, 'src/index.ts'), 'utf8')).toContain("name: 'my-connector'");
    expect(await readFile(path.join(dir, 'README.md'), 'utf8')).toContain('# My Connector');
  });

  it('is sound', async () => {
    const checked = await goflowPlugin(dir, 'check');
    expect(checked.stderr).toMatch(/^my-connector 0\.1\.0 is sound \([\d.]+ kB, of which [\d.]+ kB code\)\.\n$/);
    expect(checked.status).toBe(0);
  });

  it('passes its own tests', async () => {
    const tested = await goflowPlugin(dir, 'test');
    expect(tested.stdout + tested.stderr).toMatch(/3 passed/);
    expect(tested.status).toBe(0);
  });

  it('is never made over something else', async () => {
    const again = await goflowPlugin(folder, 'init', 'my-connector');
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/my-connector is there already and not empty/);
  });
});

describe('build, inspect, sign and verify', () => {
  it('make a bundle that says what it is and who signed it', async () => {
    const built = await goflowPlugin(dir, 'build', '--json');
    expect(built.status).toBe(0);
    const told = JSON.parse(built.stdout) as { file: string; digest: string };
    expect(await readdir(path.join(dir, 'dist'))).toEqual(['my-connector-0.1.0.goflow.json']);
    const { digest } = parseBundle(await readFile(path.join(dir, bundleFile)));
    expect(told.digest).toBe(digest);

    const made = await goflowPlugin(dir, 'keygen', '--out', 'release.key');
    expect(made.status).toBe(0);
    expect((await stat(path.join(dir, 'release.key'))).mode & 0o777).toBe(0o600);
    expect((await goflowPlugin(dir, 'keygen', '--out', 'release.key')).status).toBe(2);

    expect((await goflowPlugin(dir, 'verify', bundleFile, '--key', 'release.key.pub')).status).toBe(1);
    expect((await goflowPlugin(dir, 'sign', bundleFile, '--key', 'release.key')).status).toBe(0);
    expect((await goflowPlugin(dir, 'verify', bundleFile, '--key', 'release.key.pub')).status).toBe(0);
    expect(parseBundle(await readFile(path.join(dir, bundleFile))).digest).toBe(digest);

    const shown = await goflowPlugin(dir, 'inspect', bundleFile);
    expect(shown).toMatchObject({ status: 0, stderr: '' });
    expect(shown.stdout).toContain(`${digest} (ok)`);
    expect(shown.stdout).toContain(made.stdout.trim());
    expect(shown.stdout).toMatch(/greet: Greet/);
  });

  it('notice a bundle that was changed', async () => {
    const text = await readFile(path.join(dir, bundleFile), 'utf8');
    await writeFile(path.join(dir, 'changed.json'), text.replace('Hello ', 'Bye '));
    const shown = await goflowPlugin(dir, 'inspect', 'changed.json');
    expect(shown).toMatchObject({ status: 1, stdout: '' });
    expect(shown.stderr).toMatch(/^changed\.json is not a sound bundle: \/files\/plugin\.js does not match its digest/);
  });
});

describe('run', () => {
  it('gives the result on standard output and the log on standard error', async () => {
    const ran = await goflowPlugin(dir, 'run', 'greet', '--input', '{"name":"Ada","shout":true}');
    expect(JSON.parse(ran.stdout)).toEqual({ greeting: 'HELLO ADA!' });
    expect(ran.stderr).toBe('info  greeting {"name":"Ada"}\n');
    expect(ran.status).toBe(0);
  });

  it('takes the input from a file, and a bundle instead of sources', async () => {
    await writeFile(path.join(dir, 'input.json'), '{"name":"Bob"}');
    const ran = await goflowPlugin(dir, 'run', 'greet', '--input', 'input.json', '--bundle', bundleFile, '--json');
    expect(JSON.parse(ran.stdout)).toMatchObject({
      status: 'succeeded',
      output: { greeting: 'Hello Bob!' },
      logs: [{ level: 'info', message: 'greeting' }],
    });
  });

  it.each<[what: string, args: string[], status: number, message: RegExp]>([
    [
      'input that does not fit',
      ['greet', '--input', '{"nmae":"Ada"}'],
      1,
      /^INPUT_INVALID: .*\/input\/name is missing.*\/input\/nmae is not a known property/,
    ],
    ['an error of the connector', ['greet', '--input', '{"name":" "}'], 1, /^NAME_EMPTY: the name is empty/],
    ['an action that is not there', ['gret'], 2, /no action "gret"; there are: greet/],
    ['input that is not JSON', ['greet', '--input', '{name}'], 2, /--input: the text is not JSON/],
    ['an input file that is not there', ['greet', '--input', 'none.json'], 2, /none\.json does not exist/],
    [
      'a credential for a connector that takes none',
      ['greet', '--input', '{"name":"A"}', '--credential', '{}'],
      2,
      /takes no credential/,
    ],
    [
      'a private address that is none',
      ['greet', '--allow-private', 'nonsense'],
      2,
      /^--allow-private: "nonsense" needs a port/,
    ],
    ['a bundle that is none', ['greet', '--bundle', 'package.json'], 1, /package\.json is not a sound bundle/],
  ])('tells of %s', async (_what, args, status, message) => {
    const ran = await goflowPlugin(dir, 'run', ...args);
    expect(ran.stderr).toMatch(message);
    expect(ran).toMatchObject({ status, stdout: '' });
  });
});

describe('check', () => {
  it('tells type errors, names of Node and refused imports with their places', async () => {
    const bad = path.join(await emptyFolder(), 'bad');
    await goflowPlugin(path.dirname(bad), 'init', 'bad');
    const source = await readFile(path.join(bad, 'src/index.ts'), 'utf8');
    await writeFile(
      path.join(bad, 'src/index.ts'),
      source
        .replace('const name = input.name.trim();', "const name = input.nmae + process.env['X'];")
        .replace(/^/, "import { readFileSync } from 'node:fs';\nexport { readFileSync };\n"),
    );
    const checked = await goflowPlugin(bad, 'check', '--json');
    expect(checked.status).toBe(1);
    const { problems } = JSON.parse(checked.stdout) as {
      problems: Array<{ file: string; line: number; message: string; advice?: string }>;
    };
    expect(problems).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          file: 'src/index.ts',
          line: 32,
          message: expect.stringContaining("Property 'nmae' does not exist"),
        }),
        expect.objectContaining({
          file: 'src/index.ts',
          line: 32,
          message: expect.stringContaining("Cannot find name 'process'"),
          advice: expect.stringContaining('no process'),
        }),
        expect.objectContaining({
          file: 'src/index.ts',
          line: 1,
          message: expect.stringContaining('"node:fs" is a Node module'),
        }),
      ]),
    );
  });

  it('gives advice on what is asked for and not used, and the other way round', async () => {
    const odd = await emptyFolder();
    await mkdir(path.join(odd, 'src'));
    await writeFile(
      path.join(odd, 'src/index.ts'),
      `import { defineAction, defineConnector } from '@goflow/plugin-sdk';
export default defineConnector({
  name: 'odd', version: '1.0.0', permissions: { net: ['unused.example.com'] },
  actions: { go: defineAction({ async run(ctx) { return (await ctx.fetch('https://used.example.com/')).status; } }) },
});
`,
    );
    const checked = await goflowPlugin(odd, 'check', '--json');
    expect(checked.status).toBe(0);
    const advice = (JSON.parse(checked.stdout) as { advice: string[] }).advice.join('\n');
    expect(advice).toMatch(/asks for unused\.example\.com, which the code never names/);
    expect(advice).toMatch(/URL to used\.example\.com/);
    expect(advice).toMatch(/\/description is missing/);
    expect(advice).toMatch(/\/actions\/go\/input is missing/);
  });
});

describe('a command line that cannot be meant', () => {
  it.each<[what: string, args: string[], status: number, message: RegExp]>([
    ['no command', [], 2, /Usage: goflow-plugin/],
    ['an unknown command', ['bild'], 2, /unknown command 'bild'/],
    ['an unknown option', ['build', '--nope'], 2, /unknown option '--nope'/],
    ['a missing argument', ['run'], 2, /missing required argument 'ACTION'/],
    ['a missing option', ['keygen'], 2, /required option '--out <FILE>'/],
    ['a name that is none', ['init', '../evil'], 2, /is no name for a connector/],
    ['a bundle that is not there', ['inspect', 'none.json'], 2, /none\.json does not exist/],
    ['a folder without a connector', ['build'], 1, /src\/index\.ts: does not exist/],
  ])('%s: says what is wrong, on standard error', async (_what, args, status, message) => {
    const ended = await goflowPlugin(folder, ...args);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toMatch(/\n\s+at /);
    expect(ended).toMatchObject({ status, stdout: '' });
  });

  it('each command has --help with an example', async () => {
    const commands = ['init', 'dev', 'build', 'check', 'run', 'test', 'inspect', 'keygen', 'sign', 'verify', 'publish'];
    for (const ended of await Promise.all(commands.map((name) => goflowPlugin(folder, name, '--help')))) {
      expect(ended).toMatchObject({ status: 0, stderr: '' });
      expect(ended.stdout).toMatch(/Example:\n {2}goflow-plugin /);
    }
  });
});
