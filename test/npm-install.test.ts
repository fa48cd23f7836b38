import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildConnector } from './support/connector.ts';
import { cleanUp, type HostProcess, type Json, MAIN, ROOT, startHost, tempDir } from './support/host-process.ts';

const CLI = path.join(ROOT, 'plugin-sdk/dist/cli.js');
const SOURCE = `import { defineAction, defineConnector } from '@goflow/plugin-sdk';
export default defineConnector({ name: 'crm', version: '1.0.0', actions: { go: defineAction({ run: () => 1 }) } });
`;

let host: HostProcess;
let registry: Server;
let url: string;
let dir: string;
let bundle: string;
let digest: string;
/** What the registry has: packages by the path of their tarball, and the integrity that it claims. */
const tarballs = new Map<string, Buffer>();
const versions: Record<string, Json> = {};

beforeAll(async () => {
  dir = await tempDir();
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, [CLI, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  for (const key of ['acme', 'other']) run('keygen', '--out', path.join(dir, `${key}.key`));
  const file = await buildConnector(SOURCE);
  run('sign', file, '--key', path.join(dir, 'acme.key'));
  bundle = await readFile(file, 'utf8');
  digest = (JSON.parse(run('inspect', file, '--json')) as Json).digest;

  registry = createServer((request, response) => {
    const asked = request.url ?? '';
    const tarball = tarballs.get(asked);
    if (tarball !== undefined) response.end(tarball);
    else if (asked === '/@acme%2fgoflow-crm')
      response.end(JSON.stringify({ 'dist-tags': { latest: '1.0.0' }, versions }));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
  offer('1.0.0', { 'package/package.json': '{}', 'package/dist/crm-1.0.0.goflow.json': bundle });
  offer('1.0.1', { 'package/dist/crm.goflow.json': bundle });
  offer('1.0.2', { 'package/package.json': '{}' });
  offer('1.0.3', { 'package/crm.goflow.json': bundle });
  versions['1.0.3'].dist.integrity = `sha512-${Buffer.alloc(64).toString('base64')}`;
  host = await startHost();
});
afterAll(async () => {
  registry.close();
  await cleanUp();
});

function offer(version: string, files: Record<string, string>): void {
  const tarball = gzipSync(
    Buffer.concat([...Object.entries(files).map(([name, text]) => tarEntry(name, text)), Buffer.alloc(1024)]),
  );
  tarballs.set(`/-/${version}.tgz`, tarball);
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  versions[version] = { dist: { tarball: `${url}/-/${version}.tgz`, integrity } };
}

function tarEntry(name: string, text: string): Buffer {
  const body = Buffer.from(text);
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(body.byteLength.toString(8).padStart(11, '0'), 124);
  header.write('0', 156);
  header.write('ustar', 257);
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.byteLength % 512)) % 512)]);
}

function install(reference: string, ...more: string[]): Promise<{ status: number; said: string }> {
  const args = [MAIN, 'plugins', 'install', reference, '--url', host.url, '--registry', url, ...more];
  return new Promise((resolve) =>
    execFile(process.execPath, args, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), said: stdout + stderr }),
    ),
  );
}

it('installs the bundle of an npm package, checked against the registry, a digest and a key', async () => {
  const key = path.join(dir, 'acme.key.pub');
  const installed = await install('npm:@acme/goflow-crm@1.0.0', '--digest', digest, '--signed-by', key);
  expect(installed.said).toMatch(/crm 1\.0\.0 is installed, digest sha256-/);
  expect(installed.status).toBe(0);
  expect((await host.request('GET', '/api/plugins/crm')).body).toMatchObject({ version: '1.0.0', digest });
  expect((await install('npm:@acme/goflow-crm@latest')).status).toBe(0);
});

it.each<[what: string, reference: string, more: () => string[], says: RegExp]>([
  ['a package that was changed', '1.0.3', () => [], /is not what the registry says/],
  ['a bundle of another version', '1.0.1', () => [], /holds crm 1\.0\.0, not 1\.0\.1/],
  ['a package without a bundle', '1.0.2', () => [], /holds no bundle/],
  ['a version that is not there', '9.9.9', () => [], /has no version 9\.9\.9/],
  ['another digest', '1.0.0', () => ['--digest', 'sha256-x'], /with the digest sha256-.*, not sha256-x/],
  ['another key', '1.0.0', () => ['--signed-by', path.join(dir, 'other.key.pub')], /has not signed/],
])('refuses %s', async (_what, version, more, says) => {
  const refused = await install(`npm:@acme/goflow-crm@${version}`, ...more());
  expect(refused.said).toMatch(says);
  expect(refused.status).toBe(1);
});

it('checks digest and signature of a file as well', async () => {
  const file = path.join(dir, 'crm.goflow.json');
  await writeFile(file, bundle);
  expect((await install(file, '--signed-by', path.join(dir, 'other.key.pub'))).said).toMatch(/has not signed/);
  expect((await install(file, '--digest', digest)).status).toBe(0);
});

it('says how a package is named', async () => {
  expect(await install('npm:crm')).toMatchObject({ status: 2, said: expect.stringMatching(/write npm:NAME@VERSION/) });
});
