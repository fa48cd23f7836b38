import path from 'node:path';
import { expect, it } from 'vitest';
import Database from 'better-sqlite3';
import { Db } from '../../src/store/sqlite/db.ts';
import { GroupCommit } from '../../src/store/sqlite/group-commit.ts';
import { openDatabase } from '../../src/store/sqlite/open-database.ts';
import type { FromThread } from '../../src/store/sqlite/protocol.ts';
import { ctx, makeDirectory, makeRun, NO_INTERNALS, openStore } from './helpers.ts';
import { startProgram } from './processes.ts';

it('lets reads go on and writes wait while another process holds the write lock', async () => {
  const { store, dataDir } = await openStore();
  const run = makeRun();
  await store.runs.accept(ctx, run, NO_INTERNALS);
  const holder = startProgram('hold-lock.mjs', path.join(dataDir, 'goflow.db'));
  await holder.said('locked');

  const late = makeRun();
  let done = false;
  const write = store.runs.accept(ctx, late, NO_INTERNALS).finally(() => {
    done = true;
  });
  await store.ping(ctx);
  expect(await store.runs.get(ctx, 'default', run.id)).toEqual(run);
  expect(done).toBe(false);

  await holder.kill();
  await write;
  expect(await store.runs.get(ctx, 'default', late.id)).toEqual(late);
});

it('refuses writes that have waited too long, and takes new ones when the lock is gone', async () => {
  const dataDir = makeDirectory();
  const db = openDatabase(dataDir);
  const other = new Database(path.join(dataDir, 'goflow.db'));
  const sent: FromThread[] = [];
  const commit = new GroupCommit(db, 'goflow.db', (message) => void sent.push(message), 60);
  try {
    other.exec('BEGIN IMMEDIATE');
    commit.run([
      [1, 'storage.set', { tenantId: 't', plugin: 'p', key: 'k', json: '1' }],
      [2, 'ping', null],
    ]);
    expect(sent).toEqual([{ kind: 'answers', answers: [[2, null, undefined]] }]);
    await expect.poll(() => sent.length, { timeout: 10_000 }).toBe(3);
    expect(sent.slice(1)).toMatchObject([
      { kind: 'trouble', failure: { code: 'STORE_UNAVAILABLE' } },
      { kind: 'answers', answers: [[1, { code: 'STORE_UNAVAILABLE' }, null]] },
    ]);
    other.exec('ROLLBACK');
    commit.run([[3, 'storage.set', { tenantId: 't', plugin: 'p', key: 'k', json: '2' }]]);
    expect(sent.slice(3)).toEqual([{ kind: 'recovered' }, { kind: 'answers', answers: [[3, null, undefined]] }]);
  } finally {
    commit.close();
    other.close();
    db.connection.close();
  }
});

it('refuses a second host on the same data directory, in this process or another, until the first is gone', async () => {
  const { store, dataDir } = await openStore();
  await expect(openStore(dataDir)).rejects.toThrow(/in use by another host \(process \d+\); stop that one/);
  await store.ping(ctx);
  await store.close();

  const holder = startProgram('writer.ts', dataDir);
  await holder.said('open');
  await expect(openStore(dataDir)).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining(`(process ${holder.child.pid})`),
  });
  await holder.kill();
  const { store: third } = await openStore(dataDir);
  await third.ping(ctx);
});

it('keeps statements of different shapes apart', () => {
  const db = new Db(new Database(':memory:'));
  db.change('CREATE TABLE t (a)');
  expect(db.change('INSERT INTO t VALUES (?)', [1])).toBe(1);
  expect(db.rows('SELECT a FROM t')).toEqual([[1]]);
  expect(db.row('SELECT a FROM t WHERE a = ?', [2])).toBeNull();
  db.connection.close();
});
