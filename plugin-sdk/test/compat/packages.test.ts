import { createServer } from 'node:net';
import { symlink } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConnector } from '../../src/build/build-connector.ts';
import { BuildError } from '../../src/build/problem.ts';
import { createEngine } from '../../src/runtime/engine/engine.ts';
import { type OpenConnector, openWith } from '../../src/testing/open-connector.ts';
import { connector, project } from '../build/support.ts';
import { FAILS, WORKS } from './packages.ts';
import { answerPostgres } from './postgres-server.ts';

const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const engine = createEngine({ processes: 1 });
const database = createServer(answerPostgres);
let port: number;
let opened: OpenConnector;

// All of them in one connector, an action each: that they get along in one bundle is a part of the promise.
beforeAll(async () => {
  await new Promise<void>((resolve) => database.listen(0, '127.0.0.1', resolve));
  ({ port } = database.address() as AddressInfo);
  const files: Record<string, string> = { 'package.json': '{}' };
  for (const [index, { top, body }] of WORKS.entries())
    files[`src/p${index}.ts`] = `${top}\nexport async function run(ctx: any, input: any) { ${body} }\n`;
  const net = [...new Set(WORKS.flatMap(({ net: host }) => host ?? []))];
  files['src/index.ts'] = `import { defineAction, defineConnector } from '@goflow/plugin-sdk';
${WORKS.map((_, index) => `import { run as run${index} } from './p${index}.ts';`).join('\n')}
export default defineConnector({
  name: 'packages', version: '1.0.0', limits: { memory_mb: 256 },
  permissions: { net: ${JSON.stringify(net)}, connect: ['127.0.0.1:${port}'] },
  actions: { ${WORKS.map((_, index) => `p${index}: defineAction({ run: run${index} })`).join(', ')} },
});
`;
  const dir = await withModules(files);
  opened = await openWith(engine, { dir, allowPrivate: [`127.0.0.1:${port}`] });
});
afterAll(async () => {
  database.close();
  await opened?.close();
  await engine.shutdown();
});

async function withModules(files: Record<string, string>): Promise<string> {
  const dir = await project(files);
  await symlink(MODULES, path.join(dir, 'node_modules'));
  return dir;
}

function upstream(request: Request): Response {
  const { pathname } = new URL(request.url);
  if (pathname === '/graphql') return Response.json({ data: { a: 1 } });
  if (pathname.startsWith('/v1/')) return Response.json({ id: pathname.split('/').at(-1), object: 'customer' });
  return Response.json({ path: pathname });
}

describe('a package that works', () => {
  it.each(WORKS.map((entry, index) => ({ ...entry, action: `p${index}` })))('$name', async ({ net, action, gives }) => {
    const outcome = await opened.run(action, { port }, net === undefined ? {} : { upstream });
    expect(outcome).toMatchObject({ status: 'succeeded', output: gives });
  });
});

describe('a package that does not work, with the reason', () => {
  it.each(FAILS)('$name', async ({ top, body, says }) => {
    const dir = await withModules({ 'src/index.ts': connector(body, top), 'package.json': '{}' });
    const describeIn = { dir, describe: engine.describe.bind(engine) };
    const built = await buildConnector(describeIn).catch((error: unknown) => error);
    if (built instanceof Error) {
      expect(built).toBeInstanceOf(BuildError);
      expect(built.message).toMatch(says);
      return;
    }
    await using alone = await openWith(engine, { dir });
    const outcome = await alone.run('go');
    expect(outcome).toMatchObject({ status: 'failed', error: { message: expect.stringMatching(says) } });
  });
});
