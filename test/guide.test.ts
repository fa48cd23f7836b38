import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openConnector } from '@goflow/plugin-sdk/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { cleanUp, type HostProcess, ROOT, startHost, tempDir } from './support/host-process.ts';

// What docs/PLUGIN_SYSTEM_GUIDE.md shows, done: each block in its order.

interface Block {
  readonly kind: string;
  readonly more: string;
  readonly text: string;
}

const GUIDE = readFileSync(path.join(ROOT, 'docs/PLUGIN_SYSTEM_GUIDE.md'), 'utf8');
const BLOCKS: readonly Block[] = [...GUIDE.matchAll(/^```(\w+) ?([^\n]*)\n([^]*?)^```$/gm)].map(
  ([, kind, more, text]) => ({
    kind: kind ?? '',
    more: more ?? '',
    text: text ?? '',
  }),
);
const shown = (kind: string, more?: string): readonly Block[] =>
  BLOCKS.filter((block) => block.kind === kind && (more === undefined || block.more === more));

afterAll(cleanUp);

it('the guide shows no block that is not tried', () => {
  for (const { kind, more } of BLOCKS)
    expect(`${kind} ${more}`).toMatch(/^(?:sh |ts (?:file=\S+|recipe|test)|json file=\S+|typescript |console )$/);
});

interface Ended {
  readonly status: number;
  readonly said: string;
  readonly cwd: string;
}

/** Runs a block of commands as a reader would, on our command lines; a block can change the folder for those after it. */
function shell(script: string, cwd: string, url: string): Promise<Ended> {
  const env = {
    PATH: `${path.join(ROOT, 'node_modules/.bin')}:${path.dirname(process.execPath)}:${process.env['PATH']}`,
    HOME: cwd,
    GOFLOW_URL: url,
    NO_COLOR: '1',
  };
  return new Promise((resolve) => {
    execFile('/bin/sh', ['-ec', `${script}\necho "@@$PWD"`], { cwd, env }, (error, stdout, stderr) => {
      const status = error === null ? 0 : Number(error.code);
      resolve({ status, said: stdout + stderr, cwd: /^@@(.*)$/m.exec(stdout)?.[1] ?? cwd });
    });
  });
}

describe('the tutorial', () => {
  let host: HostProcess;
  let cwd: string;

  it('leads to an installed, tested, signed connector', { timeout: 120_000 }, async () => {
    host = await startHost();
    cwd = await tempDir();
    const tutorial = BLOCKS.slice(
      0,
      BLOCKS.findIndex(({ more }) => more === 'recipe'),
    );
    for (const { kind, more, text } of tutorial) {
      if (kind === 'sh') {
        const ended = await shell(text, cwd, host.url);
        expect(ended.status, `${text}\n${ended.said}`).toBe(0);
        cwd = ended.cwd;
      } else {
        const file = path.join(cwd, more.replace('file=', ''));
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(file, text);
      }
    }
    const { body } = await host.request('GET', '/api/plugins/tickets');
    expect(body).toMatchObject({ version: '1.0.0', state: 'enabled', grants: { net: ['desk.example.com'] } });
    const { items } = (await host.request('GET', '/api/workflows')).body;
    const message = 'Printer on fire\nplease come';
    const run = await host.request('POST', `/api/workflows/${items[0].id}/trigger?wait=20`, {
      parameters: { message },
    });
    expect(run.body).toMatchObject({ status: 'succeeded', output: { subject: 'Printer on fire' } });
  });

  it('is followed by tests that pass', { timeout: 60_000 }, async () => {
    const tests = shown('ts', 'test');
    for (const [index, { text }] of tests.entries())
      await writeFile(path.join(cwd, `test/recipe-${index}.test.ts`), text);
    const ended = await shell('goflow-plugin test', cwd, host.url);
    expect(ended.said).toMatch(new RegExp(`Test Files\\s+${tests.length + 1} passed`));
    expect(JSON.parse(await readFile(path.join(cwd, 'test/desk.exchanges.json'), 'utf8'))).toMatchObject({
      exchanges: [{ response: { status: 200 } }],
    });
  });
});

it('the recipes type-check, build, and run', { timeout: 60_000 }, async () => {
  const recipes = shown('ts', 'recipe');
  const dir = await tempDir();
  await mkdir(path.join(dir, 'src'));
  await symlink(path.join(ROOT, 'node_modules'), path.join(dir, 'node_modules'));
  for (const [index, { text }] of recipes.entries()) await writeFile(path.join(dir, `src/recipe${index}.ts`), text);
  await writeFile(
    path.join(dir, 'src/index.ts'),
    `import { defineConnector } from '@goflow/plugin-sdk';
${recipes.map((_, index) => `import { action as r${index} } from './recipe${index}.ts';`).join('\n')}
export default defineConnector({
  name: 'recipes', version: '1.0.0', permissions: { net: ['api.example.com'], storage: true },
  actions: { ${recipes.map((_, index) => `r${index}`).join(', ')} },
});
`,
  );
  const checked = await shell('goflow-plugin check', dir, '');
  expect(checked.status, checked.said).toBe(0);

  const upstream = (): Response => Response.json({ items: [1], next: null, changes: [1], until: '2026' });
  await using connector = await openConnector({ dir, upstream });
  for (const [index] of recipes.entries())
    expect(await connector.run(`r${index}`, {}, { leaks: true })).toMatchObject({
      status: 'succeeded',
      leaks: { timers: 0, calls: 0 },
    });
});

it('the examples of the reference type-check', { timeout: 60_000 }, async () => {
  const dir = await tempDir();
  await symlink(path.join(ROOT, 'node_modules'), path.join(dir, 'node_modules'));
  for (const [index, { text }] of shown('typescript').entries())
    await writeFile(
      path.join(dir, `example-${index}.ts`),
      `import { ConnectorError, defineAction, defineActionFor, type Infer } from '@goflow/plugin-sdk';
export type { Infer };
import { cancelAtEachAwait, openConnector, type OpenConnector } from '@goflow/plugin-sdk/testing';
export const used = [ConnectorError, defineAction, defineActionFor, cancelAtEachAwait, openConnector];
declare const connector: OpenConnector;
declare function expect(value: unknown): { toEqual(value: unknown): void };
export const given = { connector, expect };
export async function example(): Promise<void> {
${text}
}
`,
    );
  const compilerOptions = {
    noUnusedLocals: false,
    noUnusedParameters: false,
    types: [path.join(ROOT, 'node_modules/@types/node')],
  };
  await writeFile(path.join(dir, 'package.json'), '{"type":"module"}');
  await writeFile(
    path.join(dir, 'tsconfig.json'),
    JSON.stringify({ extends: path.join(ROOT, 'tsconfig.json'), compilerOptions, include: ['*.ts'], exclude: [] }),
  );
  const checked = await shell(`tsc -p ${dir}`, dir, '');
  expect(checked.status, checked.said).toBe(0);
});
