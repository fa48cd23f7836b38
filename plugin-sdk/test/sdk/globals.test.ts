import { readFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import { type OpenConnector, openConnector } from '../../src/testing/index.ts';
import { connector, project } from '../build/support.ts';

let opened: OpenConnector | undefined;
afterEach(() => opened?.close());

async function open(body: string, top = ''): Promise<OpenConnector> {
  opened = await openConnector({ dir: await project({ 'src/index.ts': connector(body, top) }) });
  return opened;
}

it('every global of globals.d.ts is there in the sandbox', async () => {
  const text = await readFile(new URL('../../src/globals.d.ts', import.meta.url), 'utf8');
  const names = [...text.matchAll(/^declare (?:class|function|var) (\w+)/gm)].map((match) => match[1] ?? '');
  expect(names.length).toBeGreaterThan(40);
  const connected = await open('return input.names.filter((name) => typeof globalThis[name] === "undefined");');
  expect(await connected.run('go', { names })).toMatchObject({ status: 'succeeded', output: [] });
});

it('what globals.d.ts leaves out of Node is not there', async () => {
  const connected = await open('return input.names.filter((name) => typeof globalThis[name] !== "undefined");');
  const names = ['process', 'Buffer', 'require', 'module', 'exports', '__dirname', '__filename', 'global'];
  expect(await connected.run('go', { names })).toMatchObject({ status: 'succeeded', output: [] });
});

it('a library for edge runtimes finds its sockets', async () => {
  const connected = await open(
    'await connect({ hostname: "smtp.example.com", port: 25 }).opened;',
    "import { connect } from 'cloudflare:sockets';",
  );
  expect(await connected.run('go')).toMatchObject({ status: 'failed', error: { code: 'EGRESS_DENIED' } });
});
