import Database from 'better-sqlite3';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { GroupCommit } from '../../src/store/sqlite/group-commit.ts';
import { openDatabase } from '../../src/store/sqlite/open-database.ts';
import type { Answer, FromThread, Request } from '../../src/store/sqlite/protocol.ts';
import { makeDirectory } from './helpers.ts';

function start(): { readonly run: (requests: readonly Request[]) => readonly Answer[]; readonly file: string } {
  const dataDir = makeDirectory();
  const db = openDatabase(dataDir);
  const file = path.join(dataDir, 'goflow.db');
  let answers: readonly Answer[] = [];
  const commit = new GroupCommit(db, file, (message: FromThread) => {
    if (message.kind === 'answers') answers = message.answers;
  });
  onTestFinished(() => {
    commit.close();
    db.connection.close();
  });
  return {
    file,
    run(requests) {
      commit.run(requests);
      return answers;
    },
  };
}

function set(id: number, key: string, json = '1'): Request {
  return [id, 'storage.set', { tenantId: 't', plugin: 'p', key, json }];
}

function get(id: number, key: string): Request {
  return [id, 'storage.get', { tenantId: 't', plugin: 'p', key }];
}

/** Breaks a NOT NULL rule in the middle of a transaction, as a bug of ours would. */
function broken(id: number): Request {
  return [id, 'storage.set', { tenantId: 't', plugin: 'p', key: 'bad', json: null as unknown as string }];
}

it('answers every request of a batch, reads with the writes before them', () => {
  const { run } = start();
  expect(run([get(1, 'a'), set(2, 'a', '2'), get(3, 'a')])).toEqual([
    [1, null, null],
    [2, null, undefined],
    [3, null, '2'],
  ]);
});

it('lets a request that fails harm only itself', () => {
  const { run, file } = start();
  const answers = run([set(1, 'a'), broken(2), set(3, 'b'), get(4, 'b'), get(5, 'bad')]);
  expect(answers.map(([id, failure]) => [id, failure?.code ?? null])).toEqual([
    [1, null],
    [2, 'INTERNAL'],
    [3, null],
    [4, null],
    [5, null],
  ]);
  const other = new Database(file, { readonly: true });
  expect(other.prepare('SELECT key FROM plugin_storage ORDER BY key').pluck().all()).toEqual(['a', 'b']);
  other.close();
});

it('goes on with the transaction when a request is refused', () => {
  const { run } = start();
  const row = ['wf', 't', 1, 1, 0, 'name', '{}', 0] as const;
  const answers = run([[1, 'workflows.create', row], [2, 'workflows.create', row], set(3, 'a')]);
  expect(answers.map(([id, failure]) => [id, failure?.code ?? null])).toEqual([
    [1, null],
    [2, 'CONFLICT'],
    [3, null],
  ]);
});

it('shows a batch to other connections only as a whole', () => {
  const { run, file } = start();
  const other = new Database(file, { readonly: true });
  onTestFinished(() => void other.close());
  const count = other.prepare('SELECT count(*) FROM plugin_storage').pluck();
  expect(count.get()).toBe(0);
  run(Array.from({ length: 500 }, (_, index) => set(index, `k${index}`)));
  expect(count.get()).toBe(500);
});
