import { describe, expect, test } from 'vitest';
import { startHost } from './harness.ts';

describe('plugins', () => {
  const view = { name: 'crm', version: '1.0.0', state: 'enabled' };
  const install = async (_ctx: unknown, _admin: unknown, body: Uint8Array) => ({
    created: body.length > 2,
    manifest: { name: '@acme/crm', version: '1.0.0' },
    digest: 'sha256-x',
    state: 'needs_grant',
    permissions_to_grant: { net: ['api.example.com'] },
  });

  test('are installed from the bytes of a bundle', async () => {
    const host = await startHost({ services: { plugins: { install } as never } });
    const made = await host.send('POST', '/api/plugins', { json: { format: 'goflow-bundle/1' } });
    expect([made.status, made.headers['location']]).toEqual([201, '/api/plugins/%40acme%2Fcrm']);
    expect(made.json).toMatchObject({
      name: '@acme/crm',
      digest: 'sha256-x',
      permissions_to_grant: { net: ['api.example.com'] },
      manifest: {},
    });
    expect((await host.send('POST', '/api/plugins', { body: '{}' })).status).toBe(200);
    const form = { body: '{}', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    expect((await host.send('POST', '/api/plugins', form)).status).toBe(415);
  });

  test('may be larger than other bodies, up to 20 MiB', async () => {
    const host = await startHost({ maxBody: 1000, services: { plugins: { install } as never } });
    expect((await host.send('POST', '/api/plugins', { body: Buffer.alloc(3_000_000, 32) })).status).toBe(201);
    expect((await host.send('POST', '/api/plugins', { body: Buffer.alloc(20 * 1024 * 1024 + 1, 32) })).status).toBe(
      413,
    );
  });

  test('are granted, switched and rolled back under the name of the path', async () => {
    const asked: unknown[] = [];
    const remember = async (_ctx: unknown, admin: unknown, name: string, ...rest: unknown[]) => {
      asked.push([admin, name, ...rest]);
      return view;
    };
    const host = await startHost({
      services: {
        plugins: {
          grant: remember,
          setEnabled: remember,
          rollback: remember,
          remove: remember,
          view: () => view,
        } as never,
      },
    });
    await host.send('PUT', '/api/plugins/crm/grants', { json: { permissions: { net: ['a.example'], storage: true } } });
    await host.send('POST', '/api/plugins/crm/enable');
    await host.send('POST', '/api/plugins/crm/disable');
    await host.send('POST', '/api/plugins/@acme/crm/rollback');
    expect((await host.send('DELETE', '/api/plugins/crm')).status).toBe(204);
    expect((await host.send('GET', '/api/plugins/crm')).json).toEqual(view);
    const admin = { tenantId: 'default', hostWide: true };
    expect(asked).toEqual([
      [admin, 'crm', { net: ['a.example'], storage: true }],
      [admin, 'crm', true],
      [admin, 'crm', false],
      [admin, '@acme/crm'],
      [admin, 'crm'],
    ]);
  });

  test.each([
    ['{}', '/permissions'],
    ['{"permissions":[]}', '/permissions'],
    ['{"permissions":{"net":"a"}}', '/permissions/net'],
    ['{"permissions":{"connect":[1]}}', '/permissions/connect'],
    ['{"permissions":{"storage":"yes"}}', '/permissions/storage'],
    ['{"permissions":{"fs":true}}', '/permissions/fs'],
    ['{"permission":{}}', '/permission'],
  ])('grants of the shape %s are refused at %s', async (body, pointer) => {
    const host = await startHost();
    const answer = await host.send('PUT', '/api/plugins/crm/grants', { body });
    expect([answer.status, answer.json.errors[0].pointer]).toEqual([400, pointer]);
  });
});

describe('actions', () => {
  test('are shown with their schemas', async () => {
    const input = { type: 'object', required: ['to'] };
    const plugin = { manifest: { name: 'email', version: '1.0.0', credential: { type: 'object' } } };
    const actions = () => [{ plugin, id: 'send_email', action: { title: 'Send an email', input } }];
    const host = await startHost({ services: { plugins: { actions } as never } });
    const [action] = (await host.send('GET', '/api/actions')).json.items;
    expect(action).toMatchObject({
      id: 'send_email',
      name: 'email/send_email',
      plugin: 'email',
      plugin_version: '1.0.0',
      input,
      output: true,
      needs_credential: true,
    });
  });
});

describe('keys and credentials', () => {
  test('never show what is secret', async () => {
    const record = {
      id: 'key_1',
      name: 'ci',
      role: 'viewer',
      tenant_id: 'default',
      user_id: 'u',
      hash: new Uint8Array([1]),
      expires_at: null,
      created_at: 'now',
    } as const;
    const credential = {
      id: 'cred_1',
      name: 'main',
      plugin: 'email',
      sealed: new Uint8Array([2]),
      is_default: true,
      created_at: 'now',
    };
    const page =
      <T>(item: T) =>
      async () => ({ items: [item], next_cursor: null });
    const { authenticate, mode } = {
      authenticate: () => ({ keyId: null, tenantId: 'default', userId: 'x', role: 'admin', hostWide: true }) as const,
      mode: async () => 'keys' as const,
    };
    const host = await startHost({
      services: {
        auth: {
          authenticate,
          mode,
          guesses: {} as never,
          keys: { create: async () => ({ record, key: 'gf_viewer_x' }), list: page(record), delete: async () => {} },
        },
        credentials: {
          create: async () => credential as never,
          list: page(credential as never),
          delete: async () => {},
          view: ({ id, name }) => ({ id, name }),
        },
      },
    });
    const shown = {
      id: 'key_1',
      name: 'ci',
      role: 'viewer',
      tenant_id: 'default',
      user_id: 'u',
      created_at: 'now',
      expires_at: null,
    };
    const made = await host.send('POST', '/api/keys', { json: {} });
    expect([made.status, made.json]).toEqual([201, { ...shown, key: 'gf_viewer_x' }]);
    expect((await host.send('GET', '/api/keys')).json.items).toEqual([shown]);
    expect((await host.send('DELETE', '/api/keys/key_1')).status).toBe(204);
    expect((await host.send('POST', '/api/credentials', { json: {} })).json).toEqual({ id: 'cred_1', name: 'main' });
    expect((await host.send('GET', '/api/credentials')).text).not.toContain('sealed');
    expect((await host.send('DELETE', '/api/credentials/cred_1')).status).toBe(204);
  });
});
