import { execFileSync } from 'node:child_process';
import { appendFile, copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildConnector } from './support/connector.ts';
import { cleanUp, type HostProcess, type Json, ROOT, startHost, tempDir } from './support/host-process.ts';

const CLI = path.join(ROOT, 'plugin-sdk/dist/cli.js');
const SOURCE = (name: string): string => `import { defineAction, defineConnector } from '@goflow/plugin-sdk';
export default defineConnector({
  name: '${name}', version: '1.0.0',
  actions: { wait: defineAction({ async run(ctx) { await ctx.sleep(20_000); return 'done'; } }), now: defineAction({ run: () => 'now' }) },
});
`;

function goflowPlugin(...args: string[]): string {
  return execFileSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

let dir: string;
let keyid: string;
let bundles: Record<'signed' | 'foreign' | 'unsigned' | 'stopped', string>;

beforeAll(async () => {
  dir = await tempDir();
  keyid = goflowPlugin('keygen', '--out', path.join(dir, 'ours.key'));
  goflowPlugin('keygen', '--out', path.join(dir, 'theirs.key'));
  const build = async (name: string, key?: string): Promise<string> => {
    const file = path.join(dir, `${name}.goflow.json`);
    await copyFile(await buildConnector(SOURCE(name)), file);
    if (key !== undefined) goflowPlugin('sign', file, '--key', path.join(dir, key));
    return file;
  };
  bundles = {
    signed: await build('signed', 'ours.key'),
    foreign: await build('foreign', 'theirs.key'),
    unsigned: await build('unsigned'),
    stopped: await build('stopped', 'ours.key'),
  };
});
afterAll(cleanUp);

async function install(host: HostProcess, file: string): Promise<Json> {
  return await host.request('POST', '/api/plugins', JSON.parse(await readFile(file, 'utf8')));
}

describe('GOFLOW_TRUST=signed', () => {
  let host: HostProcess;
  let revoked: string;
  beforeAll(async () => {
    revoked = path.join(dir, 'revoked.txt');
    await writeFile(revoked, '# nothing yet\n');
    host = await startHost({
      env: { GOFLOW_TRUST: 'signed', GOFLOW_TRUSTED_KEYS: path.join(dir, 'ours.key.pub'), GOFLOW_REVOKED: revoked },
    });
  });

  it('takes what a trusted key has signed, and nothing else', async () => {
    expect((await install(host, bundles.signed)).status).toBe(201);
    for (const name of ['foreign', 'unsigned'] as const) {
      const refused = await install(host, bundles[name]);
      expect(refused).toMatchObject({ status: 400, body: { code: 'BUNDLE_REFUSED' } });
      expect(refused.body.detail).toMatch(/not signed by a key that this host trusts/);
    }
  });

  it('refuses a bundle that was changed after it was signed', async () => {
    const bundle = JSON.parse(await readFile(bundles.signed, 'utf8')) as Json;
    bundle.manifest.version = '1.0.1';
    const refused = await host.request('POST', '/api/plugins', bundle);
    expect(refused).toMatchObject({ status: 400, body: { code: 'BUNDLE_REFUSED' } });
  });

  it('lists an unsigned file of the plugins directory as refused', async () => {
    await copyFile(bundles.unsigned, path.join(host.pluginsDir, 'unsigned.goflow.json'));
    await vi.waitFor(
      async () => {
        const { items } = (await host.request('GET', '/api/plugins')).body as Json;
        expect(items).toContainEqual(
          expect.objectContaining({ name: 'unsigned', state: 'refused', reason: expect.stringMatching(/not signed/) }),
        );
      },
      { timeout: 10_000 },
    );
  });

  it('a digest that is revoked stops what runs of it, and is offered no more', async () => {
    const { body } = await install(host, bundles.stopped);
    const run = await trigger(host, 'stopped/wait');
    await running(host, run);
    await appendFile(revoked, `${body.digest}\n`);
    await vi.waitFor(
      async () => {
        const { body: ended } = await host.request('GET', `/api/runs/${run}`);
        expect(ended).toMatchObject({ status: 'failed', error: { code: 'PLUGIN_UNAVAILABLE' } });
        expect(ended.error.message).toMatch(/revoked/);
      },
      { timeout: 10_000 },
    );
    expect((await host.request('GET', '/api/plugins/stopped')).status).toBe(404);
    const again = await install(host, bundles.stopped);
    expect(again.body.detail).toMatch(/is revoked/);
  });

  it('a key that is revoked takes all that it alone has signed with it', async () => {
    const run = await trigger(host, 'signed/wait');
    await running(host, run);
    await appendFile(revoked, `${keyid} # lost\n`);
    await vi.waitFor(async () => expect((await host.request('GET', `/api/runs/${run}`)).body.status).toBe('failed'), {
      timeout: 10_000,
    });
    expect((await host.request('GET', '/api/plugins/signed')).status).toBe(404);
  });
});

describe('a policy that cannot be meant', () => {
  it.each<[what: string, env: Record<string, string>, message: RegExp]>([
    ['signed without keys', { GOFLOW_TRUST: 'signed' }, /GOFLOW_TRUSTED_KEYS names no key/],
    ['another word', { GOFLOW_TRUST: 'some' }, /GOFLOW_TRUST: "some" is not any or signed/],
    ['a key file that is not there', { GOFLOW_TRUSTED_KEYS: '/nowhere.pub' }, /GOFLOW_TRUSTED_KEYS: "\/nowhere\.pub"/],
    ['a list that is not there', { GOFLOW_REVOKED: '/nowhere.txt' }, /GOFLOW_REVOKED: "\/nowhere\.txt" cannot be read/],
  ])('%s stops the start, with the variable and what is allowed', async (_what, env, message) => {
    const data = await tempDir();
    const ended = await import('node:child_process').then(({ spawnSync }) =>
      spawnSync(process.execPath, [path.join(ROOT, 'host/dist/main.js'), 'start', '--port', '0', '--data-dir', data], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '', ...env },
      }),
    );
    expect(ended.stderr).toMatch(message);
    expect(ended.status).toBe(2);
  });
});

async function trigger(host: HostProcess, action: string): Promise<string> {
  const id = action.replace('/', '-');
  await host.request('PUT', `/api/workflows/${id}`, { name: id, action, config: {} });
  return (await host.request('POST', `/api/workflows/${id}/trigger`, {})).body.run_id as string;
}

async function running(host: HostProcess, run: string): Promise<void> {
  await vi.waitFor(async () => {
    const { body } = await host.request('GET', `/api/runs/${run}`);
    expect(body.steps[0]?.status).toBe('running');
  });
}
