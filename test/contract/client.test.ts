import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, ROOT, startHost, tempDir, type HostProcess, type Json } from '../support/host-process.ts';

const KEY = 'bootstrap-key-of-this-test';
let host: HostProcess;
let folder: string;

beforeAll(async () => {
  host = await startHost({ pluginsDir: path.join(ROOT, 'plugins'), env: { GOFLOW_ADMIN_KEY: KEY } });
  folder = await tempDir();
});
afterAll(cleanUp);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function goflow(...args: readonly string[]): Promise<Ended> {
  const env = { PATH: process.env['PATH'] ?? '', GOFLOW_URL: host.url, GOFLOW_KEY: KEY };
  return new Promise((resolve) => {
    execFile(path.join(ROOT, 'node_modules/.bin/goflow'), args, { env, cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

async function json(...args: readonly string[]): Promise<Json> {
  const { code, stdout, stderr } = await goflow(...args, '--json');
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Json;
}

describe('goflow as a client', () => {
  it('applies a workflow by id, else by name, and triggers it with typed parameters', async () => {
    const named = {
      name: 'Greeting',
      parameters: [
        { name: 'who', type: 'string', required: true },
        { name: 'times', type: 'integer' },
      ],
      action: 'testing',
      config: { response: '{{params}}' },
    };
    await writeFile(path.join(folder, 'named.json'), JSON.stringify(named));
    await writeFile(path.join(folder, 'with-id.json'), JSON.stringify({ ...named, id: 'greeting', name: 'Other' }));
    const first = await json('workflows', 'apply', 'named.json');
    const second = await json('workflows', 'apply', 'named.json');
    expect([second[0].id, second[0].version]).toEqual([first[0].id, 2]);
    expect((await json('workflows', 'apply', 'with-id.json'))[0]).toMatchObject({ id: 'greeting', version: 1 });
    const run = await json('trigger', 'Greeting', '-p', 'who=5', '-p', 'times=5', '--wait', '10');
    expect(run).toMatchObject({ status: 'succeeded', output: { who: '5', times: 5 } });
    expect((await json('runs', 'get', run.id as string)).id).toBe(run.id);
  });

  it('says what is wrong on standard error, with status 1 for what failed and 2 for wrong usage', async () => {
    await writeFile(path.join(folder, 'bad.json'), '{');
    await writeFile(path.join(folder, 'unknown.json'), '{"name":"w","foo":1}');
    const cases: readonly (readonly [number, string, readonly string[]])[] = [
      [1, 'bad.json', ['workflows', 'apply', 'bad.json']],
      [1, '/foo', ['workflows', 'apply', 'unknown.json']],
      [1, 'nowhere.json', ['workflows', 'apply', 'nowhere.json']],
      [1, 'nope', ['workflows', 'get', 'nope']],
      [1, 'who', ['trigger', 'greeting']],
      [2, 'times', ['trigger', 'greeting', '-p', 'who=x', '-p', 'times=x']],
      [2, 'name=value', ['trigger', 'greeting', '-p', 'who']],
      [2, '--wait', ['trigger', 'greeting', '--wait', 'long']],
      [1, 'BUNDLE_REFUSED', ['plugins', 'install', 'bad.json']],
      [1, 'nope', ['plugins', 'remove', 'nope']],
      [1, 'nope', ['keys', 'revoke', 'nope']],
      [2, '--role', ['keys', 'create', 'x', '--role', 'king']],
      [2, '--status', ['runs', 'list', '--status', 'done']],
      [2, 'garbage', ['runs', 'list', '--url', 'garbage']],
      [1, 'key', ['runs', 'list', '--key', 'wrong']],
    ];
    for (const [code, word, args] of cases) {
      const ended = await goflow(...args);
      expect([args.join(' '), ended.code, ended.stdout]).toEqual([args.join(' '), code, '']);
      expect(ended.stderr).toContain(word);
    }
  });

  it('makes a key that is shown once and ends when it is revoked', async () => {
    const made = await json('keys', 'create', 'ci', '--role', 'viewer', '--tenant', 'acme');
    const headers = { authorization: `Bearer ${made.key as string}` };
    expect((await host.request('GET', '/api/workflows', undefined, headers)).body.items).toEqual([]);
    expect((await host.request('POST', '/api/workflows', { name: 'w' }, headers)).status).toBe(403);
    const own = await json('keys', 'create', 'other', '--role', 'viewer');
    expect(JSON.stringify(await json('keys', 'list'))).not.toContain(own.key);
    expect((await goflow('keys', 'revoke', own.id as string)).code).toBe(0);
    const gone = { authorization: `Bearer ${own.key as string}` };
    expect((await host.request('GET', '/api/workflows', undefined, gone)).status).toBe(401);
  });
});
