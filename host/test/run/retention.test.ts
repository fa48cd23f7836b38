import { afterAll, expect, test } from 'vitest';
import { createLogging } from '../../src/core/log.ts';
import { keepRetention } from '../../src/run/retention.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import type { Store } from '../../src/store/store.ts';
import { ctx, ended, makeKey, makeRun, NO_INTERNALS } from '../store/records.ts';
import { cleanUp, tempDir, until } from '../support/running-host.ts';

const DAY = 24 * 60 * 60 * 1000;
const lines: string[] = [];
const log = createLogging({ level: 'info', levels: {}, write: (line) => void lines.push(line) }).for('store');

afterAll(cleanUp);

/** Ended runs, the oldest first, of which every tenth goes on. */
async function filled(ages: readonly number[]): Promise<{ store: Store; ids: string[] }> {
  const store = await openSqliteStore({ dataDir: await tempDir(), log });
  const runs = ages.map((age) => makeRun({ created_at: new Date(Date.now() - age).toISOString() }));
  await Promise.all(runs.map((run) => store.runs.accept(ctx, run, NO_INTERNALS)));
  await Promise.all(runs.filter((_, index) => index % 10 !== 0).map((run) => store.runs.finish(ctx, ended(run), [])));
  return { store, ids: runs.map(({ id }) => id) };
}

async function present(store: Store, ids: readonly string[]): Promise<boolean[]> {
  const found = await Promise.all(ids.map((id) => store.runs.get(ctx, 'default', id)));
  return found.map((run) => run !== null);
}

test('ended runs beyond the count are deleted in batches, the oldest first, and none that goes on', async () => {
  const { store, ids } = await filled(Array.from({ length: 1000 }, () => 0));
  const stop = keepRetention(store, { days: null, count: 100 }, log, 5);
  await until(
    () => lines.some((line) => line.includes('ended runs deleted')),
    (done) => done,
  );
  stop();
  const kept = await present(store, ids);
  expect(kept.slice(0, 900)).toEqual(ids.slice(0, 900).map((_, index) => index % 10 === 0));
  expect(kept.slice(900)).toEqual(ids.slice(900).map(() => true));
  await store.close();
});

test('ended runs beyond the age are deleted, and keys that have expired', async () => {
  const { store, ids } = await filled([9 * DAY, 8 * DAY, 8 * DAY, 6 * DAY, 0]);
  const key = makeRun();
  const expired = new Date(Date.now() - 25 * 60 * 60 * 1000).toISOString();
  await store.runs.accept(ctx, key, NO_INTERNALS, makeKey(key.id, { created_at: expired }));
  const stop = keepRetention(store, { days: 7, count: null }, log, 5);
  await until(
    () => present(store, ids),
    ([, second, third]) => !(second ?? true) && !(third ?? true),
  );
  stop();
  // The first goes on.
  expect(await present(store, ids)).toEqual([true, false, false, true, true]);
  expect(await store.runs.prune(ctx, { limit: 100 })).toEqual({ runs: 0, keys: 0 });
  await store.close();
});

test('work goes on between the batches', async () => {
  const { store } = await filled(Array.from({ length: 2000 }, () => 0));
  const stop = keepRetention(store, { days: null, count: 100 }, log, 1);
  let accepted = 0;
  const before = await store.runs.prune(ctx, { keep: 1_000_000, limit: 1 });
  expect(before.runs).toBe(0);
  // Each waits for its own commit: a deletion in one piece would let none through.
  while ((await store.runs.prune(ctx, { keep: 100, limit: 1 })).runs > 0) {
    await store.runs.accept(ctx, makeRun(), NO_INTERNALS);
    accepted += 1;
  }
  stop();
  expect(accepted).toBeGreaterThan(3);
  await store.close();
});
