import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, onTestFinished } from 'vitest';
import { systemContext } from '../../../src/core/context.ts';
import { createLogging } from '../../../src/core/log.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open.ts';
import type { Store } from '../../../src/store/store.ts';

/** One real store for the tests of a file, because to open one takes longer than most of them. */
let shared: { readonly store: Store; readonly dir: string } | null = null;

/** Where the shared store is. */
export function storeDir(): string {
  return shared?.dir ?? '';
}

/** The store, as good as new: what a test puts into it of plugins, credentials and keys is taken out when the test ends. */
export async function openCleanStore(): Promise<Store> {
  if (shared === null) {
    const dir = mkdtempSync(path.join(tmpdir(), 'goflow-store-'));
    const logging = createLogging({ level: 'error', levels: {}, write: () => undefined });
    shared = { store: await openSqliteStore({ dataDir: dir, log: logging.for('store') }), dir };
  }
  const { store } = shared;
  onTestFinished(() => clean(store));
  // Copies of what tests put their own methods into.
  return { ...store, keys: { ...store.keys }, plugins: { ...store.plugins } };
}

afterAll(async () => {
  await shared?.store.close();
  if (shared !== null) rmSync(shared.dir, { recursive: true, force: true });
  shared = null;
});

const TENANTS = ['default', 'acme', 'other'];

async function clean({ plugins, credentials, keys }: Store): Promise<void> {
  const ctx = systemContext();
  for (const { tenant_id, name } of await plugins.listVersions(ctx)) await plugins.removeVersions(ctx, tenant_id, name);
  for (const { tenant_id, name } of await plugins.listSettings(ctx)) {
    await plugins.putSettings(ctx, {
      name,
      tenant_id,
      granted: null,
      decided: null,
      enabled: true,
      pinned_version: null,
    });
  }
  for (const tenant of TENANTS) {
    for (const { id } of (await credentials.list(ctx, tenant, { limit: 200 })).items)
      await credentials.delete(ctx, tenant, id);
    for (const { id } of (await keys.list(ctx, tenant, { limit: 200 })).items) await keys.delete(ctx, tenant, id);
  }
}
