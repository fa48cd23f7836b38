import { parseBundle, sha256 } from '@goflow/plugin-sdk/contract';
import { describe, expect, test } from 'vitest';
import { bundleBytes } from './support/bundle.ts';
import { ACME_ADMIN, BOOTSTRAP, CTX, openHost } from './support/host.ts';

const V1 = { version: '1.0.0', permissions: { net: ['api.example.com', '*.example.org:8443'], storage: true } };
const V2 = { version: '1.1.0', permissions: { ...V1.permissions, connect: ['smtp.example.com:587'] } };

async function withV1() {
  const host = await openHost();
  await host.plugins.install(CTX, BOOTSTRAP, bundleBytes(V1));
  return host;
}

describe('granting', () => {
  test('all that is asked enables the plugin', async () => {
    const { plugins } = await withV1();
    const view = await plugins.grant(CTX, BOOTSTRAP, 'email', V1.permissions);
    expect(view).toMatchObject({ state: 'enabled', grants: V1.permissions, permissions_to_grant: {} });
    expect(plugins.findAction('default', 'send')).toMatchObject({
      action: { granted: V1.permissions, state: 'enabled' },
    });
  });

  test('a part lets it run with that part, and shows the rest', async () => {
    const { plugins } = await withV1();
    const view = await plugins.grant(CTX, BOOTSTRAP, 'email', { net: ['api.example.com'] });
    expect(view).toMatchObject({
      state: 'enabled',
      grants: { net: ['api.example.com'] },
      permissions_to_grant: { net: ['*.example.org:8443'], storage: true },
    });
  });

  test('a narrower entry than the one asked is a part too', async () => {
    const { plugins } = await withV1();
    const view = await plugins.grant(CTX, BOOTSTRAP, 'email', { net: ['eu.example.org:8443'] });
    expect(view.grants).toEqual({ net: ['eu.example.org:8443'] });
  });

  test('nothing takes everything back', async () => {
    const { plugins } = await withV1();
    await plugins.grant(CTX, BOOTSTRAP, 'email', V1.permissions);
    const view = await plugins.grant(CTX, BOOTSTRAP, 'email', {});
    expect(view).toMatchObject({ state: 'needs_grant', grants: {}, permissions_to_grant: V1.permissions });
  });

  test('more than is asked is refused with a pointer to each entry, and changes nothing', async () => {
    const { plugins } = await withV1();
    const wrong = { net: ['api.example.com', 'evil.example.net', 5], connect: ['a.example.com:25'], other: true };
    const error = await plugins.grant(CTX, BOOTSTRAP, 'email', wrong).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect((error as { problems: { pointer: string }[] }).problems.map(({ pointer }) => pointer).sort()).toEqual([
      '/permissions/connect/0',
      '/permissions/net/1',
      '/permissions/net/2',
      '/permissions/other',
    ]);
    expect(plugins.view('default', 'email')?.grants).toEqual({});
  });

  test.each([[null], [[]], ['all'], [{ net: 'api.example.com' }], [{ storage: 'yes' }]])(
    'refuses %j',
    async (wrong) => {
      const { plugins } = await withV1();
      await expect(plugins.grant(CTX, BOOTSTRAP, 'email', wrong)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    },
  );

  test("a tenant's own plugin is for its own admin, and reaches no other tenant", async () => {
    const { plugins } = await openHost();
    await plugins.install(CTX, ACME_ADMIN, bundleBytes(V1));
    await plugins.grant(CTX, ACME_ADMIN, 'email', V1.permissions);
    const other = { tenantId: 'other', hostWide: false };
    expect((await plugins.install(CTX, other, bundleBytes(V1))).state).toBe('needs_grant');
    expect(plugins.view('acme', 'email')?.state).toBe('enabled');
  });
});

describe('a new version that asks for more', () => {
  test('waits while the one before keeps running, until the difference is granted', async () => {
    const { plugins } = await withV1();
    await plugins.grant(CTX, BOOTSTRAP, 'email', V1.permissions);
    const result = await plugins.install(CTX, BOOTSTRAP, bundleBytes(V2));
    expect(result).toMatchObject({ state: 'needs_grant', permissions_to_grant: { connect: ['smtp.example.com:587'] } });
    expect(plugins.view('default', 'email')).toMatchObject({
      version: '1.0.0',
      state: 'enabled',
      pending_version: '1.1.0',
      permissions_to_grant: { connect: ['smtp.example.com:587'] },
    });
    const view = await plugins.grant(CTX, BOOTSTRAP, 'email', V2.permissions);
    expect(view).toMatchObject({ version: '1.1.0', state: 'enabled', pending_version: null, permissions_to_grant: {} });
  });

  test('takes over when the admin has decided on it, also with less than it asks', async () => {
    const { plugins } = await withV1();
    await plugins.grant(CTX, BOOTSTRAP, 'email', V1.permissions);
    await plugins.install(CTX, BOOTSTRAP, bundleBytes(V2));
    const view = await plugins.grant(CTX, BOOTSTRAP, 'email', { storage: true });
    expect(view).toMatchObject({ version: '1.1.0', state: 'enabled', grants: { storage: true } });
  });

  test('has nothing of it before, even where the admin has granted it in part', async () => {
    const { plugins } = await withV1();
    await plugins.grant(CTX, BOOTSTRAP, 'email', { net: ['api.example.com'] });
    await plugins.install(CTX, BOOTSTRAP, bundleBytes({ ...V2, permissions: { connect: ['smtp.example.com:587'] } }));
    expect(plugins.view('default', 'email')).toMatchObject({ version: '1.0.0', grants: { net: ['api.example.com'] } });
  });

  test('that asks for no more, or for less, takes over at once', async () => {
    const { plugins } = await withV1();
    await plugins.grant(CTX, BOOTSTRAP, 'email', { net: ['*.example.org:8443'] });
    const less = { version: '2.0.0', permissions: { net: ['eu.example.org:8443'] } };
    await plugins.install(CTX, BOOTSTRAP, bundleBytes(less));
    // Never more than the manifest asks, even where the grant is wider.
    expect(plugins.view('default', 'email')).toMatchObject({
      version: '2.0.0',
      state: 'enabled',
      grants: { net: ['eu.example.org:8443'] },
    });
  });

  test('is waiting for its grant also after a restart', async () => {
    const host = await withV1();
    await host.plugins.grant(CTX, BOOTSTRAP, 'email', { storage: true });
    await host.plugins.install(CTX, BOOTSTRAP, bundleBytes(V2));
    const { plugins } = await host.restart();
    expect(plugins.view('default', 'email')).toMatchObject({
      version: '1.0.0',
      state: 'enabled',
      pending_version: '1.1.0',
    });
  });
});

describe('a first-party bundle', () => {
  const bytes = bundleBytes(V1);
  const firstPartyDigests = new Set([parseBundle(bytes).digest]);

  test('has what it asks without a grant', async () => {
    const { plugins } = await openHost({ firstPartyDigests });
    const result = await plugins.install(CTX, BOOTSTRAP, bytes);
    expect(result).toMatchObject({ state: 'enabled', permissions_to_grant: {} });
    expect(plugins.view('default', 'email')?.grants).toEqual(V1.permissions);
  });

  test('can be given less by an admin', async () => {
    const { plugins } = await openHost({ firstPartyDigests });
    await plugins.install(CTX, BOOTSTRAP, bytes);
    const view = await plugins.grant(CTX, BOOTSTRAP, 'email', { storage: true });
    expect(view).toMatchObject({ state: 'enabled', grants: { storage: true } });
  });

  test("is like any other when a tenant's admin uploads it, or when it was changed", async () => {
    const { plugins } = await openHost({ firstPartyDigests });
    expect((await plugins.install(CTX, ACME_ADMIN, bytes)).state).toBe('needs_grant');
    expect((await plugins.install(CTX, BOOTSTRAP, bundleBytes({ ...V1, note: sha256('x') }))).state).toBe(
      'needs_grant',
    );
  });
});

describe('versions', () => {
  const bundle = (version: string) => bundleBytes({ version });

  test('the newest by semver is current', async () => {
    const { plugins } = await openHost();
    for (const version of ['1.9.0', '1.10.0', '1.10.0-rc.1', '0.9.9'])
      await plugins.install(CTX, BOOTSTRAP, bundle(version));
    expect(plugins.find('default', 'email')?.manifest.version).toBe('1.10.0');
    expect(plugins.view('default', 'email')?.versions.map(({ version }) => version)).toEqual([
      '1.10.0',
      '1.10.0-rc.1',
      '1.9.0',
      '0.9.9',
    ]);
  });

  test('rollback returns to the one before, again and again, until there is none', async () => {
    const host = await openHost();
    for (const version of ['1.0.0', '2.0.0', '3.0.0']) await host.plugins.install(CTX, BOOTSTRAP, bundle(version));
    expect((await host.plugins.rollback(CTX, BOOTSTRAP, 'email')).version).toBe('2.0.0');
    const { plugins } = await host.restart();
    expect(plugins.find('default', 'email')?.manifest.version).toBe('2.0.0');
    expect((await plugins.rollback(CTX, BOOTSTRAP, 'email')).version).toBe('1.0.0');
    await expect(plugins.rollback(CTX, BOOTSTRAP, 'email')).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('a version newer than all ends a rollback; so does bringing the newest one again', async () => {
    const { plugins } = await openHost();
    for (const version of ['1.0.0', '2.0.0']) await plugins.install(CTX, BOOTSTRAP, bundle(version));
    await plugins.rollback(CTX, BOOTSTRAP, 'email');
    await plugins.install(CTX, BOOTSTRAP, bundle('1.5.0'));
    expect(plugins.find('default', 'email')?.manifest.version).toBe('1.0.0');
    await plugins.install(CTX, BOOTSTRAP, bundle('2.0.0'));
    expect(plugins.find('default', 'email')?.manifest.version).toBe('2.0.0');
    await plugins.rollback(CTX, BOOTSTRAP, 'email');
    await plugins.install(CTX, BOOTSTRAP, bundle('2.0.1'));
    expect(plugins.find('default', 'email')?.manifest.version).toBe('2.0.1');
  });

  test('a run holds on to the one that it began with', async () => {
    const { plugins } = await openHost();
    await plugins.install(CTX, BOOTSTRAP, bundle('1.0.0'));
    const held = plugins.find('default', 'email');
    await plugins.remove(CTX, BOOTSTRAP, 'email');
    expect(held?.bundle.code).toContain('1.0.0');
  });
});

describe('disabling', () => {
  test('takes the actions away and enabling brings them back, also over a restart', async () => {
    const host = await openHost();
    await host.plugins.install(CTX, BOOTSTRAP, bundleBytes());
    expect((await host.plugins.setEnabled(CTX, BOOTSTRAP, 'email', false)).state).toBe('disabled');
    const { plugins } = await host.restart();
    expect(plugins.actions('default')).toEqual([]);
    expect(plugins.findAction('default', 'send')).toMatchObject({ action: { state: 'disabled' } });
    expect((await plugins.setEnabled(CTX, BOOTSTRAP, 'email', true)).state).toBe('enabled');
  });

  test('of what is not there says so', async () => {
    const { plugins } = await openHost();
    await expect(plugins.setEnabled(CTX, BOOTSTRAP, 'nothing', true)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
