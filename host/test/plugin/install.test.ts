import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { GoflowError } from '../../src/core/errors.ts';
import { bundleBytes, bundleText } from './support/bundle.ts';
import { ACME_ADMIN, BOOTSTRAP, CTX, openHost } from './support/host.ts';

const ASKS = { permissions: { net: ['api.example.com'], storage: true } };

describe('installing a bundle', () => {
  test('makes its actions available at once when it asks for nothing', async () => {
    const { plugins } = await openHost();
    const result = await plugins.install(CTX, BOOTSTRAP, bundleBytes({ name: 'email', version: '1.0.0' }));
    expect(result).toMatchObject({ created: true, state: 'enabled', permissions_to_grant: {} });
    expect(plugins.findAction('default', 'email/send').found).toBe(true);
    expect(plugins.actions('default').map(({ id }) => id)).toEqual(['send']);
  });

  test('says what is to be granted, and offers no action before', async () => {
    const { plugins } = await openHost();
    const result = await plugins.install(CTX, BOOTSTRAP, bundleBytes(ASKS));
    expect(result).toMatchObject({ state: 'needs_grant', permissions_to_grant: ASKS.permissions });
    expect(plugins.actions('default')).toEqual([]);
    expect(plugins.findAction('default', 'send')).toMatchObject({ found: true, action: { state: 'needs_grant' } });
  });

  test('the same bytes again create nothing', async () => {
    const { plugins, dataDir } = await openHost();
    await plugins.install(CTX, BOOTSTRAP, bundleBytes());
    const again = await plugins.install(CTX, BOOTSTRAP, bundleBytes());
    expect(again.created).toBe(false);
    expect(readdirSync(path.join(dataDir, 'bundles')).filter((name) => name.endsWith('.goflow.json'))).toHaveLength(1);
  });

  test('the same bytes many times at once are installed once', async () => {
    const { plugins } = await openHost();
    const results = await Promise.all(Array.from({ length: 8 }, () => plugins.install(CTX, BOOTSTRAP, bundleBytes())));
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect(plugins.view('default', 'email')?.versions).toHaveLength(1);
  });

  test('another digest under an installed version is a conflict', async () => {
    const { plugins } = await openHost();
    await plugins.install(CTX, BOOTSTRAP, bundleBytes());
    await expect(plugins.install(CTX, BOOTSTRAP, bundleBytes({ note: 'changed' }))).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });

  test('of two bundles with one version that come at once, one is a conflict', async () => {
    const { plugins } = await openHost();
    const both = await Promise.allSettled([
      plugins.install(CTX, BOOTSTRAP, bundleBytes({ note: 'a' })),
      plugins.install(CTX, BOOTSTRAP, bundleBytes({ note: 'b' })),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(plugins.view('default', 'email')?.versions).toHaveLength(1);
  });

  test.each([
    ['no JSON', '{'],
    ['an unknown format', '{"format":"other"}'],
    ['a wrong digest', bundleText().replace('run()', 'run( )')],
  ])('refuses %s and leaves nothing behind', async (_what, text) => {
    const { plugins, dataDir } = await openHost();
    await expect(plugins.install(CTX, BOOTSTRAP, Buffer.from(text))).rejects.toMatchObject({ code: 'BUNDLE_REFUSED' });
    expect(plugins.list('default')).toEqual([]);
    expect(readdirSync(path.join(dataDir, 'bundles')).filter((name) => name !== 'known')).toEqual([]);
  });

  test('refuses code that throws when it is loaded, with what it threw', async () => {
    const { plugins, engine } = await openHost();
    const broken = bundleBytes({ code: 'throw new Error("no such luck")' });
    await expect(plugins.install(CTX, BOOTSTRAP, broken)).rejects.toMatchObject({
      code: 'BUNDLE_REFUSED',
      message: expect.stringContaining('no such luck') as unknown,
    });
    expect(plugins.view('default', 'email')).toBeNull();
    expect(engine.closed).toHaveLength(1);
  });

  test('refuses code whose actions are not those of the manifest', async () => {
    const { plugins } = await openHost();
    const code = 'exports.default = { name: "email", version: "1.0.0", actions: { other: {} } }';
    await expect(plugins.install(CTX, BOOTSTRAP, bundleBytes({ code }))).rejects.toThrow(
      /has the actions other.*says send/,
    );
    await expect(plugins.install(CTX, BOOTSTRAP, bundleBytes({ code: '' }))).rejects.toThrow(
      /does not export a connector/,
    );
  });

  test('leaves nothing behind when the store does not take it', async () => {
    const { plugins, store, dataDir } = await openHost();
    store.plugins.addVersion = () => Promise.reject(new GoflowError('STORE_FULL', 'the disk is full'));
    await expect(plugins.install(CTX, BOOTSTRAP, bundleBytes())).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(plugins.view('default', 'email')).toBeNull();
    expect(readdirSync(path.join(dataDir, 'bundles')).filter((name) => name.endsWith('.goflow.json'))).toEqual([]);
  });

  test('outlives a restart, with grants and state', async () => {
    const host = await openHost();
    await host.plugins.install(CTX, BOOTSTRAP, bundleBytes(ASKS));
    await host.plugins.grant(CTX, BOOTSTRAP, 'email', ASKS.permissions);
    const { plugins } = await host.restart();
    expect(plugins.view('default', 'email')).toMatchObject({
      state: 'enabled',
      grants: ASKS.permissions,
      versions: [{ source: 'upload' }],
    });
    expect(plugins.findAction('default', 'send').found).toBe(true);
  });

  test('a stored file that was tampered with is refused at the next start, and nothing else', async () => {
    const host = await openHost();
    await host.plugins.install(CTX, BOOTSTRAP, bundleBytes());
    await host.plugins.install(CTX, BOOTSTRAP, bundleBytes({ name: 'sms' }));
    const folder = path.join(host.dataDir, 'bundles');
    const file = readdirSync(folder).find((name) => name.endsWith('.goflow.json')) as string;
    writeFileSync(path.join(folder, file), bundleText({ note: 'evil' }));
    const { plugins } = await host.restart();
    const states = plugins.list('default').map(({ state }) => state);
    expect(states.sort()).toEqual(['enabled', 'refused']);
  });

  test('files that a crash left without a record are swept at the next start', async () => {
    const host = await openHost();
    const folder = path.join(host.dataDir, 'bundles');
    writeFileSync(path.join(folder, 'ab.goflow.json'), bundleText());
    writeFileSync(path.join(folder, '.ab.goflow.json.1.1.tmp'), 'half');
    await host.restart();
    expect(readdirSync(folder)).toEqual(['known']);
  });
});

describe('a bundle belongs', () => {
  test('to every tenant when the bootstrap key uploads it', async () => {
    const { plugins } = await openHost();
    await plugins.install(CTX, BOOTSTRAP, bundleBytes());
    expect(plugins.find('acme', 'email')?.tenantId).toBeNull();
  });

  test('to one tenant when its admin uploads it, and hides the host-wide one of its name there alone', async () => {
    const { plugins } = await openHost();
    await plugins.install(CTX, BOOTSTRAP, bundleBytes({ version: '2.0.0' }));
    const own = await plugins.install(CTX, ACME_ADMIN, bundleBytes({ version: '1.0.0', note: 'own' }));
    expect(own.created).toBe(true);
    expect(plugins.find('acme', 'email')?.manifest.version).toBe('1.0.0');
    expect(plugins.find('other', 'email')?.manifest.version).toBe('2.0.0');
    expect(plugins.list('other')).toHaveLength(1);
    await plugins.remove(CTX, ACME_ADMIN, 'email');
    expect(plugins.find('acme', 'email')?.manifest.version).toBe('2.0.0');
  });

  test('and may be changed by nobody else', async () => {
    const { plugins } = await openHost();
    await plugins.install(CTX, BOOTSTRAP, bundleBytes(ASKS));
    const forbidden = { code: 'FORBIDDEN' };
    await expect(plugins.remove(CTX, ACME_ADMIN, 'email')).rejects.toMatchObject(forbidden);
    await expect(plugins.grant(CTX, ACME_ADMIN, 'email', {})).rejects.toMatchObject(forbidden);
    await expect(plugins.setEnabled(CTX, ACME_ADMIN, 'email', false)).rejects.toMatchObject(forbidden);
    await expect(plugins.rollback(CTX, ACME_ADMIN, 'email')).rejects.toMatchObject(forbidden);
    await expect(plugins.remove(CTX, ACME_ADMIN, 'nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test("to its tenant also against another tenant's admin", async () => {
    const { plugins } = await openHost();
    await plugins.install(CTX, ACME_ADMIN, bundleBytes());
    const other = { tenantId: 'other', hostWide: false };
    await expect(plugins.remove(CTX, other, 'email')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(plugins.find('other', 'email')).toBeNull();
  });
});

describe('removing a plugin', () => {
  test('takes its versions, its file and its grants', async () => {
    const { plugins, engine, dataDir } = await openHost();
    await plugins.install(CTX, BOOTSTRAP, bundleBytes(ASKS));
    await plugins.grant(CTX, BOOTSTRAP, 'email', ASKS.permissions);
    const digest = plugins.find('default', 'email')?.digest;
    await plugins.remove(CTX, BOOTSTRAP, 'email');
    expect(plugins.view('default', 'email')).toBeNull();
    expect(engine.closed).toEqual([digest]);
    expect(readdirSync(path.join(dataDir, 'bundles')).filter((name) => name.endsWith('.goflow.json'))).toEqual([]);
    const again = await plugins.install(CTX, BOOTSTRAP, bundleBytes(ASKS));
    expect(again.state).toBe('needs_grant');
  });

  test('keeps the file that another tenant uses', async () => {
    const host = await openHost();
    await host.plugins.install(CTX, BOOTSTRAP, bundleBytes());
    await host.plugins.install(CTX, ACME_ADMIN, bundleBytes());
    await host.plugins.remove(CTX, ACME_ADMIN, 'email');
    expect(host.engine.closed).toEqual([]);
    const { plugins } = await host.restart();
    expect(plugins.view('acme', 'email')?.state).toBe('enabled');
  });
});
