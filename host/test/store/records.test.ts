import { expect, it } from 'vitest';
import type { Manifest } from '@goflow/plugin-sdk/contract';
import { newId } from '../../src/core/ids.ts';
import type { CredentialRecord, KeyRecord, PluginVersionRecord } from '../../src/core/records.ts';
import { ctx, openStore } from './helpers.ts';

const AT = '2026-01-01T00:00:00.000Z';

function version(over: Partial<PluginVersionRecord> = {}): PluginVersionRecord {
  const manifest = { name: 'email', version: '1.0.0' } as unknown as Manifest;
  return {
    name: 'email',
    version: '1.0.0',
    tenant_id: null,
    digest: 'sha256-a',
    manifest,
    file: 'email.json',
    installed_at: AT,
    ...over,
  };
}

it('keeps plugin versions of each scope apart and refuses another digest under one', async () => {
  const { store } = await openStore();
  await store.plugins.addVersion(ctx, version());
  await store.plugins.addVersion(ctx, version());
  await store.plugins.addVersion(ctx, version({ tenant_id: 't', digest: 'sha256-b' }));
  await expect(store.plugins.addVersion(ctx, version({ digest: 'sha256-c' }))).rejects.toMatchObject({
    code: 'CONFLICT',
  });
  expect(await store.plugins.listVersions(ctx)).toEqual([version(), version({ tenant_id: 't', digest: 'sha256-b' })]);
  expect(await store.plugins.removeVersions(ctx, null, 'email')).toEqual([version()]);
  expect(await store.plugins.removeVersions(ctx, null, 'email')).toEqual([]);
  expect(await store.plugins.listVersions(ctx)).toHaveLength(1);
});

it('replaces plugin settings of one scope and leaves the others', async () => {
  const { store } = await openStore();
  const wide = { name: 'email', tenant_id: null, granted: null, decided: null, enabled: true, pinned_version: null };
  const own = {
    ...wide,
    tenant_id: 't',
    granted: { net: ['a.example'] },
    decided: { storage: true },
    pinned_version: '1.0.0',
  };
  await store.plugins.putSettings(ctx, wide);
  await store.plugins.putSettings(ctx, own);
  await store.plugins.putSettings(ctx, { ...wide, enabled: false });
  expect(await store.plugins.listSettings(ctx)).toEqual([{ ...wide, enabled: false }, own]);
});

it('keeps credentials per tenant, plugin and name, with one default at most', async () => {
  const { store } = await openStore();
  const make = (over: Partial<CredentialRecord>): CredentialRecord => ({
    id: newId('cred'),
    tenant_id: 't',
    name: 'main',
    plugin: 'email',
    sealed: Uint8Array.of(1, 2),
    is_default: true,
    created_at: AT,
    ...over,
  });
  const first = make({});
  const second = make({ name: 'second' });
  await store.credentials.create(ctx, first);
  await store.credentials.create(ctx, second);
  await expect(store.credentials.create(ctx, make({}))).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(await store.credentials.forPlugin(ctx, 't', 'email')).toEqual([{ ...first, is_default: false }, second]);
  expect(await store.credentials.forPlugin(ctx, 'other', 'email')).toEqual([]);
  expect((await store.credentials.list(ctx, 't', { limit: 1 })).items).toEqual([second]);
  expect(await store.credentials.delete(ctx, 'other', first.id)).toBe(false);
  expect(await store.credentials.delete(ctx, 't', first.id)).toBe(true);
});

it('finds API keys by their hash', async () => {
  const { store } = await openStore();
  expect(await store.keys.any(ctx)).toBe(false);
  // A slice of a shared buffer, as digests often are.
  const hash = Buffer.concat([Buffer.from('before'), Buffer.alloc(32, 5)]).subarray(6);
  const key: KeyRecord = {
    expires_at: '2030-01-31T12:00:00.000Z',
    id: newId('key'),
    name: 'ci',
    role: 'trigger',
    tenant_id: 't',
    user_id: 'u',
    hash: Uint8Array.from(hash),
    created_at: AT,
  };
  await store.keys.create(ctx, { ...key, hash });
  expect(await store.keys.any(ctx)).toBe(true);
  expect(await store.keys.findByHash(ctx, hash)).toEqual(key);
  expect(await store.keys.findByHash(ctx, Buffer.alloc(32, 6))).toBeNull();
  await expect(store.keys.create(ctx, { ...key, id: newId('key') })).rejects.toMatchObject({ code: 'CONFLICT' });
  expect((await store.keys.list(ctx, 't', { limit: 10 })).items).toEqual([key]);
  expect(await store.keys.delete(ctx, 'other', key.id)).toBe(false);
  expect(await store.keys.delete(ctx, 't', key.id)).toBe(true);
});

it('keeps storage of connectors per tenant and plugin, and lists keys by prefix', async () => {
  const { store } = await openStore();
  for (const key of ['a/2', 'a/1', 'A/1', 'b', 'a', '🦊/1', 'a%_'])
    await store.storage.set(ctx, 't', 'p', key, JSON.stringify(key));
  await store.storage.set(ctx, 't', 'p', 'b', '"again"');
  await store.storage.set(ctx, 'other', 'p', 'a/3', '1');
  await store.storage.set(ctx, 't', 'q', 'a/4', '1');
  expect(await store.storage.get(ctx, 't', 'p', 'b')).toBe('"again"');
  expect(await store.storage.get(ctx, 't', 'p', 'none')).toBeNull();
  expect(await store.storage.list(ctx, 't', 'p', 'a/')).toEqual(['a/1', 'a/2']);
  expect(await store.storage.list(ctx, 't', 'p', 'a%')).toEqual(['a%_']);
  expect(await store.storage.list(ctx, 't', 'p', '🦊')).toEqual(['🦊/1']);
  expect(await store.storage.list(ctx, 't', 'p', '')).toEqual(['A/1', 'a', 'a%_', 'a/1', 'a/2', 'b', '🦊/1']);
  await store.storage.delete(ctx, 't', 'p', 'b');
  expect(await store.storage.get(ctx, 't', 'p', 'b')).toBeNull();
});
