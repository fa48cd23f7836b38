import Database from 'better-sqlite3';
import { closeSync, fsyncSync, openSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { Db } from './db.ts';
import { Refusal } from './failure.ts';
import { migrate } from './migrate.ts';
import { checkWal } from './wal.ts';

export const DATABASE_FILE = 'goflow.db';
/** Lies beside a database once it has been made, and tells a data directory that has lost its database from a new one. */
const MADE_FILE = 'goflow.db.made';

/** Milliseconds that a start, and later a statement, waits for a lock of another process. Writes have more patience, see group-commit.ts. */
const START_PATIENCE_MS = 5000;
const STATEMENT_PATIENCE_MS = 10;

/**
 * Opens the database of a data directory, checks it as far as a start may take, and brings it to this version. Throws SQLite's errors and
 * Refusals; never starts afresh over something that was there.
 */
export function openDatabase(dataDir: string): Db {
  const file = path.join(dataDir, DATABASE_FILE);
  refuseEmptied(file, path.join(dataDir, MADE_FILE));
  checkWal(`${file}-wal`);
  // SQLite would make it readable for everybody; its other files take their mode from this one.
  if (sizeOf(file) === 0) closeSync(openSync(file, 'a', 0o600));
  const connection = new Database(file, { timeout: START_PATIENCE_MS });
  try {
    // WAL with FULL: one fsync a commit, and a commit that was answered survives the loss of power.
    connection.pragma('journal_mode = WAL');
    connection.pragma('synchronous = FULL');
    connection.pragma('foreign_keys = ON');
    connection.pragma('cache_size = -32768');
    connection.pragma('temp_store = MEMORY');
    // A checkpoint every 16 MB: at 4 MB the same hot pages were copied four times as often, and p99 of a commit was twice as long.
    connection.pragma('wal_autocheckpoint = 4000');
    connection.pragma('journal_size_limit = 67108864');
    migrate(connection, file);
    noteMade(dataDir);
    connection.pragma(`busy_timeout = ${STATEMENT_PATIENCE_MS}`);
    return new Db(connection);
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** SQLite takes an empty file for a new database. It is not, when a write-ahead log with content lies beside it, or when there has been one here. */
function refuseEmptied(file: string, made: string): void {
  if (sizeOf(file) > 0) return;
  if (sizeOf(`${file}-wal`) > 32) {
    throw new Refusal(
      'STORE_UNAVAILABLE',
      `${file} is empty or missing, but its write-ahead log is not; restore a backup, or move ${file}-wal away to start with an empty database`,
    );
  }
  if (sizeOf(made) === 0) return;
  throw new Refusal(
    'STORE_UNAVAILABLE',
    `${file} is empty or missing, but this data directory had a database; restore a backup, or remove ${made} to start with an empty one`,
  );
}

/** After the first commit, so that a start which was cut off before it can be repeated. */
function noteMade(dataDir: string): void {
  const made = path.join(dataDir, MADE_FILE);
  if (sizeOf(made) > 0) return;
  const descriptor = openSync(made, 'w', 0o600);
  try {
    writeSync(
      descriptor,
      `${DATABASE_FILE} was made here. Without this file a missing database is taken for a new one.\n`,
    );
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
