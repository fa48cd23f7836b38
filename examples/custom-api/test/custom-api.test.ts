import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildFolder } from '../../../test/support/connector.ts';
import { cleanUp, type HostProcess, ROOT, startHost, until } from '../../../test/support/host-process.ts';

const DIR = path.join(ROOT, 'examples/custom-api');

describe('examples/custom-api', () => {
  let host: HostProcess;
  let port: number;
  const desk = spawn(process.execPath, [path.join(DIR, 'ticket-desk.mjs'), '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });

  beforeAll(async () => {
    const [line] = (await once(desk.stdout.setEncoding('utf8'), 'data')) as [string];
    port = Number(/:(\d+)\s*$/.exec(line)?.[1]);
    host = await startHost({ env: { GOFLOW_EGRESS_ALLOW_PRIVATE: `127.0.0.1:${port}` } });
  });
  afterAll(async () => {
    await cleanUp();
    desk.kill();
  });

  const trigger = (parameters: object) =>
    host.request('POST', '/api/workflows/create-ticket/trigger?wait=20', { parameters });

  it('goes from source to a triggered workflow, as its README says', async () => {
    const bundle = await buildFolder(DIR);
    await copyFile(bundle, path.join(host.pluginsDir, path.basename(bundle)));
    const installed = await until(
      () => host.request('GET', '/api/plugins/custom-api'),
      (answer) => answer.status === 200,
    );
    expect(installed.body).toMatchObject({
      state: 'needs_grant',
      permissions_to_grant: { net: ['{{credential.host}}:{{credential.port}}'] },
    });

    const values = { host: '127.0.0.1', port, api_key: 'demo-key' };
    expect(
      (await host.request('POST', '/api/credentials', { name: 'desk', plugin: 'custom-api', values })).status,
    ).toBe(201);
    const { id, ...workflow } = JSON.parse(await readFile(path.join(DIR, 'create-ticket.json'), 'utf8'));
    expect((await host.request('PUT', `/api/workflows/${id}`, workflow)).status).toBe(201);
    expect((await trigger({ title: 'too early' })).body).toMatchObject({
      status: 'failed',
      error: { code: 'PERMISSION_NOT_GRANTED' },
    });

    const granted = await host.request('PUT', '/api/plugins/custom-api/grants', {
      permissions: installed.body.permissions_to_grant,
    });
    expect(granted).toMatchObject({ status: 200, body: { state: 'enabled' } });
    const { status, body } = await trigger({ title: 'Printer on fire', priority: 'high' });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.error, JSON.stringify(body.error)).toBeNull();
    expect(body).toMatchObject({
      status: 'succeeded',
      output: { ticket_id: 1, url: `http://127.0.0.1:${port}/tickets/1` },
    });
    const ticket = await fetch(body.output.url, { headers: { 'x-api-key': 'demo-key' } });
    expect(await ticket.json()).toEqual({ id: 1, title: 'Printer on fire', priority: 'high' });
  });

  it('tells what the service says, without the key', async () => {
    const values = { host: '127.0.0.1', port, api_key: 'wr0ng-key' };
    await host.request('POST', '/api/credentials', { name: 'other', plugin: 'custom-api', values });
    const workflow = { name: 'With another key', action: 'create_ticket', config: { title: 'x' }, credential: 'other' };
    const made = await host.request('POST', '/api/workflows', workflow);
    const { body } = await host.request('POST', `/api/workflows/${made.body.id}/trigger?wait=20`, {});
    expect(body).toMatchObject({
      status: 'failed',
      error: { code: 'TICKET_REFUSED', retryable: false, details: { status: 401 } },
    });
    expect(JSON.stringify(host.lines)).not.toMatch(/wr0ng-key|demo-key/);
  });
});
