import Database from 'better-sqlite3';
import { statSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { migrate } from '../../src/store/sqlite/migrate.ts';
import { MIGRATIONS } from '../../src/store/sqlite/schema/index.ts';
import { ctx, makeRun, NO_INTERNALS, openStore } from './helpers.ts';
import { startProgram } from './processes.ts';

async function closedStore(): Promise<{ readonly dataDir: string; readonly file: string; readonly runId: string }> {
  const { store, dataDir } = await openStore();
  const run = makeRun();
  await store.runs.accept(ctx, run, NO_INTERNALS);
  await store.close();
  return { dataDir, file: path.join(dataDir, 'goflow.db'), runId: run.id };
}

function schemaOf(file: string): { readonly version: unknown; readonly tables: unknown[] } {
  const database = new Database(file);
  const version = database.pragma('user_version', { simple: true });
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all();
  database.close();
  return { version, tables };
}

it('refuses a data directory of a newer version and names both', async () => {
  const { dataDir, file } = await closedStore();
  const database = new Database(file);
  database.pragma('user_version = 999');
  database.close();
  await expect(openStore(dataDir)).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(
      new RegExp(`schema version 999, this host knows up to ${MIGRATIONS.length}; start the newer GoFlow`),
    ),
  });
  expect(schemaOf(file).version).toBe(999);
});

it('leaves the old schema when a migration fails half way', async () => {
  const { file } = await closedStore();
  const before = schemaOf(file);
  const database = new Database(file);
  expect(() =>
    migrate(database, file, [
      ...MIGRATIONS,
      'CREATE TABLE one (a);',
      'DROP TABLE plugin_storage; CREATE TABLE runs (a);',
    ]),
  ).toThrow(/already exists/);
  database.close();
  expect(schemaOf(file)).toEqual(before);
});

it('leaves the old schema when the host is killed in the middle of a migration', async () => {
  const { dataDir, file, runId } = await closedStore();
  const before = schemaOf(file);
  const migrating = startProgram('migrate-slowly.ts', file);
  await migrating.said('migrating');
  // The cache of the migrating process is tiny, so its changes spill into the log long before the commit.
  const written = (): number => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  await expect.poll(written, { timeout: 20_000 }).toBeGreaterThan(1024 * 1024);
  await migrating.kill();
  const { store } = await openStore(dataDir);
  expect(await store.runs.get(ctx, 'default', runId)).not.toBeNull();
  await store.close();
  expect(schemaOf(file)).toEqual(before);
});

it('brings an older database to this version and keeps what it holds', async () => {
  const { file } = await closedStore();
  const database = new Database(file);
  migrate(database, file, [...MIGRATIONS, 'CREATE TABLE one (a);', 'INSERT INTO one SELECT id FROM runs;']);
  expect(database.prepare('SELECT count(*) FROM one').pluck().get()).toBe(1);
  database.close();
  expect(schemaOf(file).version).toBe(MIGRATIONS.length + 2);
});
