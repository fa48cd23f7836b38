import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, startHost, type HostProcess, type Json } from '../support/host-process.ts';
import { probeBundle, probing } from './probe.ts';

describe('what an admin has to grant', () => {
  let host: HostProcess;
  let server: Server;
  let port: number;
  let run: (attempts: readonly object[]) => Promise<Json>;
  const heard: string[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      heard.push(`${request.method} ${request.headers.host} ${request.url}`);
      response.end('hello');
    });
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    port = (server.address() as AddressInfo).port;
    host = await startHost({ env: { GOFLOW_EGRESS_ALLOW_PRIVATE: '127.0.0.0/8' } });
  }, 60_000);
  afterAll(async () => {
    await cleanUp();
    server.close();
  });

  const plugin = async (): Promise<Json> => (await host.request('GET', '/api/plugins/probe')).body;
  const grant = (permissions: object) => host.request('PUT', '/api/plugins/probe/grants', { permissions });
  const fetchOne = (): object => ({ url: `http://127.0.0.1:${port}/one` });

  it('is nothing at first: the run fails with PERMISSION_NOT_GRANTED and says who can help', async () => {
    const asked = { net: [`127.0.0.1:${port}`, '{{credential.host}}:{{credential.port}}'], storage: true };
    const installed = await host.request('POST', '/api/plugins', await probeBundle({ permissions: asked }));
    expect(installed.status).toBe(201);
    expect(installed.body.permissions_to_grant).toEqual(asked);
    expect(await plugin()).toMatchObject({ state: 'needs_grant', grants: {}, permissions_to_grant: asked });
    run = await probing(host);
    const ended = await run([fetchOne()]);
    expect(ended).toMatchObject({
      status: 'failed',
      error: { code: 'PERMISSION_NOT_GRANTED', message: expect.stringContaining('PUT /api/plugins/probe/grants') },
    });
    expect(heard).toEqual([]);
  });

  it.each([
    ['more than is asked for', { net: ['evil.example'] }],
    ['a wider entry than is asked for', { net: ['*.example.com'] }],
    ['a port that is not asked for', { net: ['127.0.0.1:1'] }],
    ['another kind', { connect: ['127.0.0.1:25'] }],
    ['a kind that does not exist', { exec: true }],
    ['everything', { net: ['*'] }],
    ['something that is no list', { net: '127.0.0.1' }],
  ])('cannot be granted: %s', async (_what, permissions) => {
    expect((await grant(permissions)).status).toBe(400);
    expect((await plugin()).grants).toEqual({});
  });

  it('can be granted in part: then that works, and the rest is refused with its own code', async () => {
    const answer = await grant({ net: [`127.0.0.1:${port}`] });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const ended = await run([
      fetchOne(),
      { storage: 'x' },
      { url: `http://127.0.0.2:${port}/other` },
      { url: 'http://evil.example/' },
    ]);
    expect(ended.status).toBe('succeeded');
    expect(ended.output.results).toMatchObject([
      { status: 200, text: 'hello' },
      { code: 'PERMISSION_NOT_GRANTED' },
      { code: 'EGRESS_DENIED' },
      { code: 'EGRESS_DENIED' },
    ]);
    expect(await plugin()).toMatchObject({ grants: { net: [`127.0.0.1:${port}`] } });
  });

  it('names a host of the credential by its stored value, never by an input', async () => {
    await grant({ net: [`127.0.0.1:${port}`, '{{credential.host}}:{{credential.port}}'], storage: true });
    const before = await run([{ url: `http://127.0.0.3:${port}/credential` }]);
    expect(before.output.results).toMatchObject([{ code: 'EGRESS_DENIED' }]);
    await host.request('POST', '/api/credentials', {
      name: 'mine',
      plugin: 'probe',
      values: { host: '127.0.0.3', port, token: 'tok-0123456789abcdef' },
    });
    const after = await run([
      { url: `http://127.0.0.3:${port}/credential` },
      { url: `http://127.0.0.4:${port}/input`, host: '127.0.0.4', credential: { host: '127.0.0.4' } },
      { url: `http://127.0.0.3:${port + 1}/other-port` },
    ]);
    expect(after.output.results).toMatchObject([{ status: 200 }, { code: 'EGRESS_DENIED' }, { code: 'EGRESS_DENIED' }]);
    expect(heard.at(-1)).toBe(`GET 127.0.0.3:${port} /credential`);
  });

  it.each([
    '*',
    '*.com',
    'evil.example/../..',
    'a.example,b.example',
    '127.0.0.1#',
    '{{credential.token}}',
    'http://127.0.0.4',
  ])('cannot be widened by a stored host of %j', async (name) => {
    const made = await host.request('POST', '/api/credentials', {
      name: 'wide',
      plugin: 'probe',
      values: { host: name, port, token: 'tok-0123456789abcdef' },
    });
    if (made.status !== 201) return expect(made.status).toBe(400);
    const workflow = await host.request('POST', '/api/workflows', {
      name: 'wide',
      action: 'probe',
      credential: 'wide',
      config: { attempts: [{ url: `http://127.0.0.4:${port}/` }, { url: `http://evil.com:${port}/` }] },
    });
    const ended = await host.request('POST', `/api/workflows/${workflow.body.id}/trigger?wait=20`, {});
    for (const result of ended.body.output?.results ?? []) expect(result.code).toBe('EGRESS_DENIED');
    await host.request('DELETE', `/api/credentials/${made.body.id}`);
  });

  it('stays as it was when a new version asks for more: the old one goes on until the difference is granted', async () => {
    const asked = {
      net: [`127.0.0.1:${port}`, '{{credential.host}}:{{credential.port}}', `127.0.0.5:${port}`],
      storage: true,
    };
    const installed = await host.request(
      'POST',
      '/api/plugins',
      await probeBundle({ version: '2.0.0', permissions: asked }),
    );
    expect(installed.status).toBe(201);
    expect(installed.body.permissions_to_grant).toEqual({ net: [`127.0.0.5:${port}`] });
    expect(await plugin()).toMatchObject({
      state: 'enabled',
      version: '1.0.0',
      pending_version: '2.0.0',
      permissions_to_grant: { net: [`127.0.0.5:${port}`] },
    });
    const old = await run([fetchOne(), { url: `http://127.0.0.5:${port}/new` }]);
    expect(old.steps[0].plugin_version).toBe('1.0.0');
    expect(old.output.results).toMatchObject([{ status: 200 }, { code: 'EGRESS_DENIED' }]);
    expect((await grant(asked)).status).toBe(200);
    expect(await plugin()).toMatchObject({ state: 'enabled', version: '2.0.0', pending_version: null, grants: asked });
    const next = await run([fetchOne(), { url: `http://127.0.0.5:${port}/new` }]);
    expect(next.steps[0].plugin_version).toBe('2.0.0');
    expect(next.output.results).toMatchObject([{ status: 200 }, { status: 200 }]);
  });

  it('can be taken back, and that holds for the next run', async () => {
    await grant({});
    const ended = await run([fetchOne()]);
    expect(ended.status === 'failed' ? ended.error.code : ended.output.results[0].code).toMatch(
      /PERMISSION_NOT_GRANTED|EGRESS_DENIED/,
    );
  });

  it('is on the record: what a run reached, by which rule, and what was refused', async () => {
    await grant({ net: [`127.0.0.1:${port}`] });
    const ended = await run([fetchOne(), { url: `http://127.0.0.9:${port}/refused` }]);
    const lines = await Promise.all(
      ['127.0.0.1', '127.0.0.9'].map((name) =>
        host.line(
          (one) => one.msg === 'outgoing request finished' && one['run_id'] === ended.id && one['host'] === name,
        ),
      ),
    );
    expect(lines[0]).toMatchObject({
      component: 'broker',
      address: '127.0.0.1',
      method: 'GET',
      port,
      rule: `127.0.0.1:${port}`,
      status: 200,
      bytes_sent: 0,
      bytes_received: 5,
      duration_ms: expect.any(Number),
      trace_id: ended.trace_id,
      tenant_id: 'default',
      plugin: 'probe',
    });
    expect(lines[1]).toMatchObject({ rule: 'not-granted', status: null, 'error.code': 'EGRESS_DENIED' });
    const { body } = await host.request('GET', `/api/runs/${ended.id}`);
    const [reached, refused] = body.egress;
    expect(reached).toMatchObject({
      step_id: 'main',
      kind: 'http',
      method: 'GET',
      host: '127.0.0.1',
      port,
      address: '127.0.0.1',
      rule: `127.0.0.1:${port}`,
      status: 200,
      bytes_sent: 0,
      bytes_received: 5,
      duration_ms: expect.any(Number),
      started_at: expect.any(String),
      error: null,
    });
    expect(refused).toMatchObject({
      host: '127.0.0.9',
      port,
      address: null,
      rule: 'not-granted',
      status: null,
      error: { code: 'EGRESS_DENIED' },
    });
    expect(JSON.stringify(body.egress)).not.toContain('/refused');
  });
});
