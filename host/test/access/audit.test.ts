import Database from 'better-sqlite3';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LEAST_ROLE } from '../../src/auth/permissions.ts';
import { GoflowError } from '../../src/core/errors.ts';
import { createHttpMetrics } from '../../src/http/metrics.ts';
import { allRoutes } from '../../src/http/routes/index.ts';
import { startHost } from '../http/harness.ts';
import { bundleText } from '../plugin/support/bundle.ts';
import { BOOTSTRAP_KEY, startWholeHost, type Json, type WholeHost } from './support.ts';

let host: WholeHost;
let admin: string;
let adminId: string;
beforeAll(async () => {
  host = await startWholeHost();
  ({ key: admin, id: adminId } = await host.key('acme', 'admin', { user_id: 'ann' }));
});
afterAll(() => host.close());

async function records(query = ''): Promise<Json[]> {
  return (await host.ask('GET', `/api/audit?limit=200${query}`, { key: admin })).json.items as Json[];
}

test('every administrative act leaves one record that says who did what to what, and when', async () => {
  const ask = (method: string, target: string, body?: unknown) => host.ask(method, target, { key: admin, body });
  const bundle = (version: string) =>
    bundleText({ name: 'tool', version, permissions: { net: ['api.example.com'], storage: true } });
  const before = (await records()).length;
  const began = new Date().toISOString();

  const workflow = (await ask('POST', '/api/workflows', { name: 'One' })).json.id as string;
  await ask('PUT', '/api/workflows/two', { name: 'Two' });
  await ask('PUT', '/api/workflows/two', { name: 'Two again' });
  await ask('PATCH', `/api/workflows/${workflow}`, { description: 'x' });
  await ask('PUT', `/api/workflows/${workflow}/toggle`);
  await ask('DELETE', `/api/workflows/${workflow}`);
  const credential = (await ask('POST', '/api/credentials', { service_name: 'mailer', api_key: 'sk-1234567890' })).json;
  await ask('DELETE', `/api/credentials/${credential.id}`);
  const key = (await ask('POST', '/api/keys', { name: 'ci', role: 'trigger', user_id: 'bob' })).json;
  await ask('DELETE', `/api/keys/${key.id}`);
  await ask('POST', '/api/plugins', bundle('1.0.0'));
  await ask('POST', '/api/plugins', bundle('1.0.1'));
  await ask('PUT', '/api/plugins/tool/grants', { permissions: { net: ['api.example.com'] } });
  await ask('POST', '/api/plugins/tool/disable');
  await ask('POST', '/api/plugins/tool/enable');
  await ask('POST', '/api/plugins/tool/rollback');
  await ask('DELETE', '/api/plugins/tool');

  const made = (await records()).slice(0, -before).toReversed();
  expect(made.map(({ action, target }) => [action, target])).toEqual([
    ['workflow.create', workflow],
    ['workflow.create', 'two'],
    ['workflow.update', 'two'],
    ['workflow.update', workflow],
    ['workflow.toggle', workflow],
    ['workflow.delete', workflow],
    ['credential.create', credential.id],
    ['credential.delete', credential.id],
    ['key.create', key.id],
    ['key.revoke', key.id],
    ['plugin.install', 'tool'],
    ['plugin.install', 'tool'],
    ['plugin.grant', 'tool'],
    ['plugin.disable', 'tool'],
    ['plugin.enable', 'tool'],
    ['plugin.rollback', 'tool'],
    ['plugin.remove', 'tool'],
  ]);
  for (const record of made) {
    expect(record).toMatchObject({
      id: expect.stringMatching(/^aud_[0-9a-f]{32}$/),
      tenant_id: 'acme',
      actor: { user_id: 'ann', key_id: adminId, role: 'admin' },
      outcome: 'succeeded',
      code: null,
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(record.time >= began).toBe(true);
  }
  expect(made[8].details).toEqual({ name: 'ci', role: 'trigger', user_id: 'bob', expires_at: null });
  expect(made[12].details.grants).toMatchObject({ net: ['api.example.com'] });
  const text = JSON.stringify(made);
  for (const secret of ['sk-1234567890', key.key as string, admin]) expect(text).not.toContain(secret);
});

test('what failed and what was denied is recorded with its code', async () => {
  const viewer = await host.key('acme', 'viewer');
  const ask = (key: string, method: string, target: string, body?: unknown) => host.ask(method, target, { key, body });
  await ask(viewer.key, 'POST', '/api/keys', { name: 'mine', role: 'admin' });
  await ask(viewer.key, 'GET', '/api/audit');
  await ask(viewer.key, 'DELETE', '/api/plugins/tool');
  await ask(admin, 'DELETE', '/api/keys/key_1');
  await ask(admin, 'POST', '/api/workflows', { name: 5 });
  await ask(admin, 'POST', '/api/keys', { name: 'x', role: 'admin', tenant_id: 'rival' });
  expect(
    (await records()).slice(0, 6).map(({ action, target, outcome, code }) => [action, target, outcome, code]),
  ).toEqual([
    ['key.create', null, 'denied', 'FORBIDDEN'],
    ['workflow.create', null, 'failed', 'VALIDATION_FAILED'],
    ['key.revoke', 'key_1', 'failed', 'NOT_FOUND'],
    ['plugin.remove', 'tool', 'denied', 'FORBIDDEN'],
    ['audit:read', null, 'denied', 'FORBIDDEN'],
    ['key.create', null, 'denied', 'FORBIDDEN'],
  ]);
  const [newest] = await records(`&actor=${viewer.id}`);
  expect(newest.actor).toEqual({ user_id: viewer.id, key_id: viewer.id, role: 'viewer' });
});

test('reading, triggering and strangers leave no record', async () => {
  const { json } = await host.ask('POST', '/api/workflows', { key: admin, body: { name: 'x' } });
  const before = await records();
  await host.ask('GET', '/api/keys', { key: admin });
  await host.ask('POST', `/api/workflows/${json.id}/trigger`, { key: admin, body: {} });
  await host.ask('POST', '/api/keys', { key: 'wrong', body: {} });
  await host.ask('GET', '/api/nothing', { key: admin });
  expect(await records()).toEqual(before);
});

test('a tenant sees its own records, and those of the bootstrap key that concern it', async () => {
  const { id, key } = await host.key('rival', 'admin');
  const theirs = (await host.ask('GET', '/api/audit', { key })).json.items;
  expect(theirs).toHaveLength(1);
  expect(theirs[0]).toMatchObject({ action: 'key.create', target: id, tenant_id: 'rival' });
  expect(theirs[0].actor).toEqual({ user_id: 'bootstrap', key_id: null, role: 'admin' });
  const ofRival = await host.ask('GET', '/api/audit', { key: BOOTSTRAP_KEY, tenant: 'rival' });
  expect(ofRival.json.items).toEqual(theirs);
  expect((await records()).every(({ tenant_id }) => tenant_id === 'acme')).toBe(true);
});

test('is filtered by time, actor and action, and read page by page', async () => {
  await host.ask('POST', '/api/workflows', { key: admin, body: { name: 'x' } });
  const all = await records();
  const acts = await records('&action=workflow.create');
  expect(acts).toEqual(all.filter(({ action }) => action === 'workflow.create'));
  expect(await records('&actor=ann')).toEqual(all.filter(({ actor }) => actor.user_id === 'ann'));
  const { time } = all[3];
  expect(await records(`&since=${time}`)).toEqual(all.filter((record) => record.time >= time));
  expect(await records(`&until=${time}`)).toEqual(all.filter((record) => record.time < time));
  const pages: Json[] = [];
  let cursor = '';
  do {
    const page = (await host.ask('GET', `/api/audit?limit=3${cursor}`, { key: admin })).json;
    pages.push(...page.items);
    cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`;
  } while (cursor !== '');
  expect(pages).toEqual(all);
  for (const wrong of ['since=yesterday', 'cursor=x', 'limit=0', 'who=ann', 'action=']) {
    expect((await host.ask('GET', `/api/audit?${wrong}`, { key: admin })).status).toBe(400);
  }
});

describe('the trail', () => {
  test('has no route that writes', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      for (const target of ['/api/audit', `/api/audit/${(await records())[0].id}`]) {
        expect([404, 405]).toContain((await host.ask(method, target, { key: BOOTSTRAP_KEY, body: {} })).status);
      }
    }
  });

  test('cannot be changed or deleted by a statement of the database either', () => {
    const database = new Database(path.join(host.dataDir, 'goflow.db'));
    onTestFinished(() => void database.close());
    for (const statement of [
      "UPDATE audit SET user_id = 'somebody else'",
      'DELETE FROM audit',
      'DELETE FROM audit WHERE seq = 1',
      'INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 1',
    ]) {
      const before = database.prepare('SELECT count(*), group_concat(id) FROM audit').raw().get();
      expect(() => database.exec(statement)).toThrow(/append-only|UNIQUE/);
      expect(database.prepare('SELECT count(*), group_concat(id) FROM audit').raw().get()).toEqual(before);
    }
  });

  test('covers every route that changes something for more than one run', () => {
    const routes = allRoutes(createHttpMetrics());
    const changing = routes.filter(({ method, act }) => method !== 'GET' && act !== 'public');
    const unaudited = changing
      .filter(({ audit }) => audit === undefined)
      .map(({ method, path: at }) => `${method} ${at}`);
    expect(unaudited.sort()).toEqual([
      'POST /api/runs/:id/cancel',
      'POST /api/runs/:id/replay',
      'POST /api/workflows/:id/dry-run',
      'POST /api/workflows/:id/trigger',
      'POST /api/workflows/dry-run',
    ]);
    expect(LEAST_ROLE['audit:read']).toBe('admin');
  });

  test('that cannot be written makes the act fail aloud, and does not hide why another one failed', async () => {
    const append = async () => Promise.reject(new GoflowError('STORE_FULL', 'no space'));
    const full = await startHost({ services: { store: { ping: async () => {}, audit: { append } } as never } });
    expect((await full.send('POST', '/api/workflows', { json: { name: 'x' } })).json.code).toBe('STORE_FULL');
    expect((await full.send('DELETE', '/api/workflows/nothing')).json.code).toBe('NOT_FOUND');
    expect(full.logs.some(({ msg }) => msg === 'audit record lost')).toBe(true);
  });
});
