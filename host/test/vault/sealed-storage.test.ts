import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { createSealedStorage } from '../../src/vault/sealed-storage.ts';
import { openVault } from '../../src/vault/vault.ts';
import { ctx, openStore } from '../store/helpers.ts';

const scope = (tenantId: string, plugin: string) => ({
  tenantId,
  plugin,
  deadline: Number.POSITIVE_INFINITY,
  signal: new AbortController().signal,
});

async function open() {
  const { store, dataDir } = await openStore();
  const vault = await openVault({ dataDir, masterKey: randomBytes(32).toString('base64'), store });
  return { store, storage: createSealedStorage(store.storage, vault) };
}

const OURS = scope('acme', 'crm');

it('gives back what a connector kept, and keeps nothing of it readable', async () => {
  const { store, storage } = await open();
  await storage.set(OURS, 'token/1', '"refresh-token"');
  expect(await storage.get(OURS, 'token/1')).toBe('"refresh-token"');
  expect(await storage.list(OURS, 'token/')).toEqual(['token/1']);
  const stored = await store.storage.get(ctx, 'acme', 'crm', 'token/1');
  expect(Buffer.from(String(stored), 'base64').toString('latin1')).not.toContain('refresh');
  await storage.delete(OURS, 'token/1');
  expect(await storage.get(OURS, 'token/1')).toBeNull();
});

it('opens a value for its own tenant, plugin and key alone, whatever is moved in the database', async () => {
  const { store, storage } = await open();
  await storage.set(OURS, 'a', '1');
  const sealed = String(await store.storage.get(ctx, 'acme', 'crm', 'a'));
  for (const [tenant, plugin, key] of [
    ['acme', 'crm', 'b'],
    ['acme', 'other', 'a'],
    ['rival', 'crm', 'a'],
  ] as const) {
    await store.storage.set(ctx, tenant, plugin, key, sealed);
    await expect(storage.get(scope(tenant, plugin), key)).rejects.toThrow(/cannot be opened/);
  }
});

it('carries out writes of one key in the order in which they were asked for', async () => {
  const { storage } = await open();
  await Promise.all(Array.from({ length: 50 }, (_, i) => storage.set(OURS, 'n', String(i))));
  expect(await storage.get(OURS, 'n')).toBe('49');
});
