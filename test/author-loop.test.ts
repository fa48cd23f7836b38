import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { cleanUp, type HostProcess, type Json, ROOT, startHost, tempDir } from './support/host-process.ts';

const CLI = path.join(ROOT, 'plugin-sdk/dist/cli.js');

let host: HostProcess;
let dir: string;
beforeAll(async () => {
  host = await startHost();
  dir = await tempDir();
  await mkdir(path.join(dir, 'src'));
});
afterAll(cleanUp);

function source(answer: string, more = ''): string {
  return `import { defineAction, defineConnector } from '@goflow/plugin-sdk';
export default defineConnector({
  name: 'looped', version: '1.0.0', permissions: { storage: true },
  actions: {
    go: defineAction({
      input: { type: 'object', properties: { ms: { type: 'integer' } } },
      async run(ctx, input) {
        ctx.log.info('asked', { answer: ${answer} });
        await ctx.sleep(input.ms ?? 0);
        return { answer: ${answer} };
      },
    }),
  },${more}
});
`;
}

interface Dev {
  readonly child: ChildProcess;
  /** Resolves when the text was said so often. */
  says(text: RegExp, times?: number): Promise<void>;
  said(): string;
  stop(): Promise<unknown>;
}

function goflowPlugin(...args: string[]): Dev {
  const env = { PATH: process.env['PATH'] ?? '', GOFLOW_URL: '' };
  const child = spawn(process.execPath, [CLI, ...args], { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'close');
  return {
    child,
    said: () => said,
    says: (text, times = 1) =>
      vi.waitFor(() => expect(said.match(new RegExp(text, 'gm'))?.length ?? 0, said).toBeGreaterThanOrEqual(times), {
        timeout: 20_000,
        interval: 10,
      }),
    async stop() {
      child.kill('SIGINT');
      return await ended;
    },
  };
}

async function trigger(ms: number, wait = 20): Promise<Json> {
  return (await host.request('POST', `/api/workflows/looped/trigger?wait=${wait}`, { parameters: { ms } })).body;
}

it('dev --host: an edit is live at once, runs in flight finish, mistakes are told with their place', async () => {
  await writeFile(path.join(dir, 'src/index.ts'), source('1'));
  const dev = goflowPlugin('dev', '--host', host.url, '--grant');
  await dev.says(/^looped 1\.0\.1-dev\.\d+ is live on .*: enabled$/);
  const made = await host.request('PUT', '/api/workflows/looped', {
    name: 'looped',
    action: 'looped/go',
    parameters: [{ name: 'ms', type: 'integer' }],
    config: { ms: '{{params.ms}}' },
  });
  expect(made.status).toBe(201);
  expect(await trigger(0)).toMatchObject({ status: 'succeeded', output: { answer: 1 } });
  await dev.says(/^run_\S+ {4}info {2}asked \{"answer":1\}$/);
  await dev.says(/^run_\S+ {2}succeeded after \d+ ms$/);

  const inFlight = trigger(1500);
  await dev.says(/asked \{"answer":1\}$/, 2);
  await writeFile(path.join(dir, 'src/index.ts'), source('2'));
  await dev.says(/is live/, 2);
  expect(await trigger(0)).toMatchObject({ status: 'succeeded', output: { answer: 2 } });
  expect(await inFlight).toMatchObject({ status: 'succeeded', output: { answer: 1 } });

  await writeFile(path.join(dir, 'src/index.ts'), source('3 +'));
  await dev.says(/^src\/index\.ts:\d+:\d+: /);
  await writeFile(path.join(dir, 'src/index.ts'), source('input.sm'));
  await dev.says(/^src\/index\.ts:8:\d+: .*Property 'sm' does not exist/);
  expect(dev.said()).toMatch(/is live/);

  expect(await dev.stop()).toEqual([0, null]);
  expect((await host.request('GET', '/api/plugins/looped')).status).toBe(404);
  // For the report: how long each took, from the change to being live.
  const took = [...dev.said().matchAll(/\((\d+) ms\)/g)].map((match) => Number(match[1]));
  expect(Math.min(...took.slice(1))).toBeLessThan(1000);
});

it('dev without --host starts a host of its own, and ends it', async () => {
  await writeFile(path.join(dir, 'src/index.ts'), source('1'));
  const dev = goflowPlugin('dev', '--no-types');
  await dev.says(/is live on http:\/\/127\.0\.0\.1:\d+ .*: enabled$/);
  const url = /is live on (http:\S+)/.exec(dev.said())?.[1] ?? '';
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect(await dev.stop()).toEqual([0, null]);
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
});

it('publish: installs a bundle with its signatures, and says what it waits for', async () => {
  await writeFile(path.join(dir, 'src/index.ts'), source('1'));
  const bundle = 'dist/looped-1.0.0.goflow.json';
  for (const args of [['build'], ['keygen', '--out', 'release.key'], ['sign', bundle, '--key', 'release.key']]) {
    const ended = await once(goflowPlugin(...args).child, 'close');
    expect(ended).toEqual([0, null]);
  }
  const published = goflowPlugin('publish', '--host', host.url, '--bundle', bundle);
  expect(await once(published.child, 'close')).toEqual([0, null]);
  expect(published.said()).toMatch(/looped 1\.0\.0 is installed on .*: needs_grant\n {2}sha256-/);
  expect(published.said()).toMatch(/keep values in its storage[^]*goflow plugins grant looped --all/);

  const again = goflowPlugin('publish', '--host', host.url, '--json');
  await once(again.child, 'close');
  const digest = (JSON.parse(await readFile(path.join(dir, bundle), 'utf8')) as Json).manifest.digests['plugin.js'];
  expect(JSON.parse(again.said())).toMatchObject({ created: false, manifest: { digests: { 'plugin.js': digest } } });

  await writeFile(path.join(dir, 'src/index.ts'), source('2'));
  const changed = goflowPlugin('publish', '--host', host.url);
  expect(await once(changed.child, 'close')).toEqual([1, null]);
  expect(changed.said()).toMatch(/CONFLICT: looped 1\.0\.0 is installed with another digest/);
});

it('publish says when no host answers', async () => {
  const ended = goflowPlugin('publish', '--host', 'http://127.0.0.1:1');
  expect(await once(ended.child, 'close')).toEqual([1, null]);
  expect(ended.said()).toMatch(/no answer from http:\/\/127\.0\.0\.1:1/);
});
