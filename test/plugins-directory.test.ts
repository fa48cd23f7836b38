import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConnector } from './support/connector.ts';
import { cleanUp, startHost, until, type HostProcess, type Json } from './support/host-process.ts';

const greeter = (version: string, text: string) => `
import { defineAction, defineConnector } from '@goflow/plugin-sdk';
export default defineConnector({
  name: 'greeter', version: '${version}', title: 'Greeter', description: 'Greets.',
  actions: {
    greet: defineAction({
      title: 'Greet',
      input: { type: 'object', properties: { ms: { type: 'integer' } } },
      async run(ctx, input) { await ctx.sleep(input.ms ?? 0); return '${text}'; },
    }),
  },
});
`;

describe('the plugins directory of a running host', () => {
  let host: HostProcess;
  let one: string;
  let two: string;

  beforeAll(async () => {
    [one, two] = await Promise.all([buildConnector(greeter('1.0.0', 'one')), buildConnector(greeter('1.1.0', 'two'))]);
    host = await startHost();
  });
  afterAll(cleanUp);

  const plugins = async (): Promise<Json[]> => (await host.request('GET', '/api/plugins')).body.items;

  it('takes a bundle up, finishes runs on the version that they began with, and lets it go', async () => {
    await copyFile(one, path.join(host.pluginsDir, path.basename(one)));
    await until(plugins, (items) => items.some((item) => item.name === 'greeter' && item.version === '1.0.0'));
    const made = await host.request('POST', '/api/workflows', {
      name: 'greet',
      parameters: [{ name: 'ms', type: 'integer', default: 0 }],
      action: 'greet',
      config: { ms: '{{params.ms}}' },
    });
    const trigger = `/api/workflows/${made.body.id}/trigger?wait=10`;
    expect((await host.request('POST', trigger, {})).body.output).toBe('one');

    const slow = host.request('POST', trigger, { parameters: { ms: 1500 } });
    await until(
      () => host.request('GET', '/api/runs?status=running'),
      (answer) => answer.body.items.length === 1,
    );
    await copyFile(two, path.join(host.pluginsDir, path.basename(two)));
    await until(plugins, (items) => items.some((item) => item.name === 'greeter' && item.version === '1.1.0'));
    expect((await host.request('POST', trigger, {})).body.output).toBe('two');
    const ended = (await slow).body;
    expect(ended.output).toBe('one');
    expect(ended.steps[0].plugin_version).toBe('1.0.0');

    await rm(path.join(host.pluginsDir, path.basename(one)));
    await rm(path.join(host.pluginsDir, path.basename(two)));
    await until(plugins, (items) => items.length === 0);
    const late = await host.request('POST', trigger, {});
    expect(late.body).toMatchObject({ status: 'failed', error: { code: 'PLUGIN_UNAVAILABLE' } });
  });

  it('refuses a bad file with its reason, and goes on with the others', async () => {
    const text = await readFile(one, 'utf8');
    await writeFile(path.join(host.pluginsDir, 'torn.goflow.json'), text.slice(0, 500));
    const changed = JSON.parse(text) as Json;
    changed.files['plugin.js'] += '//';
    await writeFile(path.join(host.pluginsDir, 'changed.goflow.json'), JSON.stringify(changed));
    await mkdir(path.join(host.pluginsDir, 'folder.goflow.json'));
    await mkdir(path.join(host.pluginsDir, 'mine/dist'), { recursive: true });
    await copyFile(two, path.join(host.pluginsDir, 'mine/dist/half'));
    await rename(
      path.join(host.pluginsDir, 'mine/dist/half'),
      path.join(host.pluginsDir, 'mine/dist', path.basename(two)),
    );
    const items = await until(
      plugins,
      (all) =>
        all.filter((item) => item.state === 'refused').length === 2 &&
        all.some((item) => item.name === 'greeter' && item.state === 'enabled'),
    );
    const refused = items.filter((item) => item.state === 'refused');
    expect(refused.map((item) => item.file).sort()).toEqual(['changed.goflow.json', 'torn.goflow.json']);
    for (const item of refused) expect(item.reason).toMatch(/\w+ \w+/);
    await host.line((line) => line.component === 'plugin' && JSON.stringify(line).includes('torn.goflow.json'));
  });

  it('takes an upload once, and refuses another digest under the same version', async () => {
    const bundle = await readFile(
      await buildConnector(greeter('1.0.0', 'uploaded').replaceAll('greeter', 'uploaded')),
      'utf8',
    );
    const other = await readFile(
      await buildConnector(greeter('1.0.0', 'other').replaceAll('greeter', 'uploaded')),
      'utf8',
    );
    const first = await host.request('POST', '/api/plugins', bundle);
    expect(first.status, JSON.stringify(first.body)).toBe(201);
    expect(first.body.manifest.name).toBe('uploaded');
    expect(first.body.digest).toMatch(/^sha256-/);
    expect(first.body.permissions_to_grant).toEqual({});
    expect((await host.request('POST', '/api/plugins', bundle)).status).toBe(200);
    expect((await host.request('POST', '/api/plugins', other)).status).toBe(409);
    expect((await host.request('POST', '/api/plugins', '{"format":"nonsense"}')).status).toBe(400);
    expect((await host.request('DELETE', '/api/plugins/uploaded')).status).toBeLessThan(300);
    expect((await host.request('GET', '/api/plugins/uploaded')).status).toBe(404);
  });

  it('refuses an upload whose code throws or does not end when it is loaded', async () => {
    const loops = (await readFile(one, 'utf8')).replaceAll('greeter', 'loops');
    const bundle = JSON.parse(loops) as Json;
    for (const code of ['throw new Error("at load")', 'while (true) {}']) {
      const { createHash } = await import('node:crypto');
      bundle.files = { 'plugin.js': code };
      bundle.manifest.digests = { 'plugin.js': `sha256-${createHash('sha256').update(code).digest('base64')}` };
      const answer = await host.request('POST', '/api/plugins', bundle);
      expect(answer.status, JSON.stringify(answer.body)).toBe(400);
      expect(answer.body.code).toBe('BUNDLE_REFUSED');
    }
    expect((await host.request('GET', '/api/plugins/loops')).status).toBe(404);
  });
});
