import Database from 'better-sqlite3';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ctx, ended, makeDirectory, makeRun, NO_INTERNALS, openStore } from './helpers.ts';

const FRAME = 24 + 4096;

/** A closed database with some hundreds of runs; answers its file. */
async function filled(dataDir: string): Promise<string> {
  const { store } = await openStore(dataDir);
  const runs = Array.from({ length: 300 }, () => makeRun({ parameters: { text: 'x'.repeat(500) } }));
  await Promise.all(runs.map((run) => store.runs.accept(ctx, run, NO_INTERNALS)));
  await store.close();
  return path.join(dataDir, 'goflow.db');
}

/**
 * The files of a host that was cut off: commits in the write-ahead log, nothing closed. Copied by another process, because closing any descriptor
 * of a database drops this process's locks on it.
 */
async function cutOff(
  commits: number,
): Promise<{ readonly dataDir: string; readonly wal: string; readonly ids: string[] }> {
  const { store, dataDir: live } = await openStore();
  const ids: string[] = [];
  for (let index = 0; index < commits; index += 1) {
    const run = makeRun();
    await store.runs.accept(ctx, run, NO_INTERNALS);
    ids.push(run.id);
  }
  const dataDir = makeDirectory();
  for (const name of ['goflow.db', 'goflow.db-wal']) {
    expect(spawnSync('cp', [path.join(live, name), path.join(dataDir, name)]).status).toBe(0);
  }
  return { dataDir, wal: path.join(dataDir, 'goflow.db-wal'), ids };
}

function overwrite(file: string, position: number, bytes: Uint8Array): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, bytes, 0, bytes.length, position);
  closeSync(descriptor);
}

it('refuses a database with a damaged header, and leaves the file as it is', async () => {
  const dataDir = makeDirectory();
  const file = await filled(dataDir);
  overwrite(file, 0, Buffer.from('not a database at all'));
  const before = readFileSync(file);
  await expect(openStore(dataDir)).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(/goflow\.db is damaged .* restore a backup/),
  });
  expect(readFileSync(file).equals(before)).toBe(true);
});

it('answers STORE_UNAVAILABLE for what a damaged page held and goes on with the rest', async () => {
  const dataDir = makeDirectory();
  const file = await filled(dataDir);
  const database = new Database(file, { readonly: true });
  const [root] = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'runs'").pluck().all() as number[];
  database.close();
  overwrite(file, ((root ?? 0) - 1) * 4096, Buffer.alloc(4096, 0xa5));
  const { store, lines } = await openStore(dataDir);
  await expect(store.runs.list(ctx, 'default', { limit: 10 })).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.not.stringContaining(dataDir),
  });
  expect(lines.join('\n')).toMatch(/goflow\.db is damaged .* restore a backup/);
  await store.storage.set(ctx, 't', 'p', 'k', '1');
  await store.ping(ctx);
});

it('refuses a truncated database and an emptied one beside its log', async () => {
  const { dataDir } = await cutOff(5);
  truncateSync(path.join(dataDir, 'goflow.db'), 0);
  await expect(openStore(dataDir)).rejects.toThrow(
    /is empty or missing, but its write-ahead log is not; restore a backup/,
  );
  expect(statSync(path.join(dataDir, 'goflow.db')).size).toBe(0);

  const shut = makeDirectory();
  truncateSync(await filled(shut), 0);
  await expect(openStore(shut)).rejects.toThrow(/this data directory had a database; restore a backup, or remove/);
  rmSync(path.join(shut, 'goflow.db'));
  await expect(openStore(shut)).rejects.toThrow(/this data directory had a database/);

  const other = makeDirectory();
  truncateSync(await filled(other), 5 * 4096);
  await expect(openStore(other)).rejects.toThrow(/damaged/);
});

it('refuses a file that is another program’s database', async () => {
  const dataDir = makeDirectory();
  const database = new Database(path.join(dataDir, 'goflow.db'));
  database.exec('CREATE TABLE notes (text)');
  database.close();
  await expect(openStore(dataDir)).rejects.toThrow(/database of another program/);
});

it('takes up a write-ahead log that was left behind', async () => {
  const { dataDir, ids } = await cutOff(20);
  const { store } = await openStore(dataDir);
  for (const id of ids) expect(await store.runs.get(ctx, 'default', id)).not.toBeNull();
});

it('takes the torn end of the last commit for what it is', async () => {
  const { dataDir, wal, ids } = await cutOff(20);
  truncateSync(wal, statSync(wal).size - 100);
  const { store } = await openStore(dataDir);
  const { items } = await store.runs.list(ctx, 'default', { limit: 200 });
  expect(items.map(({ id }) => id).toReversed()).toEqual(ids.slice(0, 19));
});

it('refuses a write-ahead log with damage before complete commits, and says where to cut it', async () => {
  const { dataDir, wal } = await cutOff(20);
  const frames = Math.floor((statSync(wal).size - 32) / FRAME);
  const bad = Math.floor(frames / 2);
  overwrite(wal, 32 + bad * FRAME + 200, Buffer.from('damage'));
  const failure = openStore(dataDir);
  await expect(failure).rejects.toThrow(/write-ahead log goflow\.db-wal is damaged: frame \d+ does not fit/);
  const cut = /truncate -s (\d+) /.exec((await failure.catch((error: unknown) => String(error))) as string)?.[1];
  expect(Number(cut)).toBe(32 + bad * FRAME);
  truncateSync(wal, Number(cut));
  const { store } = await openStore(dataDir);
  const { items } = await store.runs.list(ctx, 'default', { limit: 200 });
  expect(items.length).toBeGreaterThan(0);
  expect(items.length).toBeLessThan(20);
});

it('refuses a write-ahead log whose header is damaged', async () => {
  const { dataDir, wal } = await cutOff(3);
  overwrite(wal, 8, Buffer.from([9, 9, 9, 9]));
  await expect(openStore(dataDir)).rejects.toThrow(/its header cannot be read; restore a backup/);
});

it('takes a log of zeros, as a crash before its first fsync leaves it, for an empty one', async () => {
  const dataDir = makeDirectory();
  const file = await filled(dataDir);
  writeFileSync(`${file}-wal`, Buffer.alloc(3 * FRAME));
  const { store } = await openStore(dataDir);
  expect((await store.runs.list(ctx, 'default', { limit: 200 })).items).toHaveLength(200);
});

it('is not misled by old frames behind the end of a log that was begun anew', async () => {
  const { store, dataDir: live } = await openStore();
  const runs = Array.from({ length: 40 }, () => makeRun());
  for (const run of runs) await store.runs.accept(ctx, run, NO_INTERNALS);
  // Puts the log into the database, so that the next commit begins it anew over the old frames.
  const other = spawnSync(process.execPath, [
    '-e',
    'const d = new (require("better-sqlite3"))(process.argv[1]); d.pragma("wal_checkpoint(RESTART)"); d.close()',
    path.join(live, 'goflow.db'),
  ]);
  expect(other.stderr.toString()).toBe('');
  for (const run of runs.slice(0, 3)) await store.runs.finish(ctx, ended(run), []);
  const dataDir = makeDirectory();
  for (const name of ['goflow.db', 'goflow.db-wal']) spawnSync('cp', [path.join(live, name), path.join(dataDir, name)]);
  const { store: again } = await openStore(dataDir);
  expect((await again.runs.list(ctx, 'default', { limit: 200, status: 'succeeded' })).items).toHaveLength(3);
});
