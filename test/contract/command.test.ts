import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cleanUp, ROOT, startHost, tempDir } from '../support/host-process.ts';

/** What set-up links node_modules/.bin/goflow to; an `npm install` by hand puts npm's own link there until the next set-up. */
const GOFLOW = path.join(ROOT, process.platform === 'win32' ? 'node_modules/.bin/goflow' : 'host/bin/goflow.sh');

afterAll(cleanUp);

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(GOFLOW, args, { env: { PATH: process.env['PATH'] ?? '', ...env }, cwd: await tempDir() });
  const out = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (out.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (out.stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...out };
}

describe.skipIf(process.platform === 'win32')('the process that goflow starts', () => {
  it('is the host itself: kill -9 frees the data directory at once', async () => {
    const dataDir = await tempDir();
    // Without a `node` in reach: the project brings its own.
    const child = spawn(GOFLOW, ['start', '--port', '0', '--data-dir', dataDir, '--plugins-dir', await tempDir()], {
      env: { PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    let out = '';
    for await (const chunk of child.stdout) if ((out += String(chunk)).includes('"host ready"')) break;
    child.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);
    const next = await startHost({ dataDir });
    expect(await next.stop()).toEqual({ code: 0, signal: null });
  });

  it('takes a signal that comes twice, as from Ctrl-C under npm, for one', async () => {
    const host = await startHost({ pluginsDir: path.join(ROOT, 'plugins') });
    await host.request('PUT', '/api/workflows/slow', {
      name: 'slow',
      action: 'testing',
      config: { response: 'done', delay_ms: 300 },
    });
    const answer = host.request('POST', '/api/workflows/slow/trigger?wait=10');
    await expect
      .poll(async () => (await host.request('GET', '/api/runs?status=running')).body.items.length as number)
      .toBe(1);
    host.child.kill('SIGINT');
    host.child.kill('SIGINT');
    expect((await host.stop('SIGINT')).code).toBe(0);
    expect((await answer).body.output).toBe('done');
  });
});

describe('a wrong value stops the start with status 2 and one line that names the variable and the value', () => {
  it.each([
    ['GOFLOW_PORT', '70000'],
    ['PORT', 'http'],
    ['GOFLOW_LOG_LEVEL', 'loud'],
    ['GOFLOW_LOG_LEVELS', 'nobody=debug'],
    ['GOFLOW_DRAIN_TIMEOUT', '-1'],
    ['GOFLOW_MAX_BODY', 'big'],
    ['GOFLOW_EGRESS_ALLOW_PRIVATE', '10.0.0.0/99'],
    ['GOFLOW_HOST', '0.0.0.0'],
    // Making a folder below /proc fails in a way that Node's recursive mkdir tries without end.
    ['GOFLOW_DATA_DIR', process.platform === 'linux' ? '/proc/goflow' : '/dev/null/goflow'],
  ])('%s=%s', async (name, value) => {
    const ended = await run(['start'], {
      GOFLOW_PORT: '0',
      [name]: value,
      ...(name === 'PORT' ? { GOFLOW_PORT: '' } : {}),
    });
    expect(ended.code).toBe(2);
    expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(ended.stderr).toContain(name);
    expect(ended.stderr).toContain(value);
  });

  it.each(['GOFLOW_DATA_DIR', 'GOFLOW_PLUGINS_DIR'])('%s is a file', async (name) => {
    const file = path.join(await tempDir(), 'file');
    await writeFile(file, '');
    const ended = await run(['start'], { GOFLOW_PORT: '0', [name]: file });
    expect(ended).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${name}: ${JSON.stringify(file)}`) as string,
    });
  });

  it('does not show a key that is wrong', async () => {
    const ended = await run(['start'], { GOFLOW_ADMIN_KEY: 'hush-hush', GOFLOW_PORT: '0' });
    expect(ended.code).toBe(2);
    expect(ended.stdout + ended.stderr).not.toContain('hush-hush');
  });
});

describe('usage', () => {
  it.each([[[]], [['plugins']], [['nope']], [['start', '--nope']], [['trigger']], [['keys', 'create', 'x']]])(
    'goflow %j is wrong usage: status 2, and nothing on standard output',
    async (args) => {
      const ended = await run(args);
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(ended.stderr).not.toBe('');
    },
  );
});
