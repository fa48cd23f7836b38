import type { JsonObject } from '@goflow/plugin-sdk/contract';
import type { Context } from '../core/context.ts';
import type { CredentialRecord } from '../core/records.ts';

/**
 * Keeps a run's way to its credential short: which there are of a plugin is asked of the store once a second, and values are opened
 * once a minute. What changes through this host shows at once; what changes through another host of the same store, within the second.
 */
export interface CredentialCache {
  ofPlugin(ctx: Context, plugin: string): Promise<readonly CredentialRecord[]>;
  valuesOf(record: CredentialRecord): Promise<JsonObject>;
  /** Forgets the lists of a tenant and the values of a credential. */
  drop(tenantId: string, id: string): void;
}

const LIST_MS = 1000;
const VALUES_MS = 60_000;
const MOST = 5000;

export function createCredentialCache(
  load: (ctx: Context, plugin: string) => Promise<readonly CredentialRecord[]>,
  open: (record: CredentialRecord) => Promise<JsonObject>,
): CredentialCache {
  const lists = new Map<string, Timed<readonly CredentialRecord[]>>();
  const values = new Map<string, Timed<JsonObject>>();
  /** Counts changes: what was asked before one is not kept after it. */
  let changes = 0;

  return {
    async ofPlugin(ctx, plugin) {
      const key = `${ctx.tenantId} ${plugin}`;
      const known = fresh(lists, key);
      if (known !== undefined) return known;
      const before = changes;
      const records = await load(ctx, plugin);
      if (before === changes) keep(lists, key, records, LIST_MS);
      return records;
    },
    async valuesOf(record) {
      const known = fresh(values, record.id);
      if (known !== undefined) return known;
      const before = changes;
      const opened = await open(record);
      if (before === changes) keep(values, record.id, opened, VALUES_MS);
      return opened;
    },
    drop(tenantId, id) {
      changes += 1;
      values.delete(id);
      for (const key of lists.keys()) if (key.startsWith(`${tenantId} `)) lists.delete(key);
    },
  };
}

interface Timed<T> {
  readonly value: T;
  readonly until: number;
}

function fresh<T>(cache: ReadonlyMap<string, Timed<T>>, key: string): T | undefined {
  const known = cache.get(key);
  return known !== undefined && performance.now() < known.until ? known.value : undefined;
}

function keep<T>(cache: Map<string, Timed<T>>, key: string, value: T, ms: number): void {
  if (cache.size >= MOST) cache.clear();
  cache.set(key, { value, until: performance.now() + ms });
}
