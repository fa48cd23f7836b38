import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import Database from 'better-sqlite3';
import { GoflowError } from '../core/errors.ts';
import { lockDirectory } from '../store/sqlite/lock.ts';
import { checkVersion } from '../store/sqlite/migrate.ts';
import { DATABASE_FILE } from '../store/sqlite/open-database.ts';
import { MASTER_KEY_FILE } from '../vault/master-key.ts';
import { BUNDLES_DIR, type BackupSummary } from './format.ts';
import { readBackup, type Sink } from './read-backup.ts';

const PARTIAL = 'restore.partial';
/** What may lie in a data directory that counts as empty: the key that a backup does not hold, and what a restore that was cut off has left. */
const HARMLESS = new Set([MASTER_KEY_FILE, PARTIAL, 'host.lock', 'host.pid']);

export interface Restored {
  readonly summary: BackupSummary;
  /** Whether the data directory has a master key file. */
  readonly hasMasterKey: boolean;
}

/**
 * Puts a backup into an empty data directory, wholly or not at all: the database takes its place last, after everything was checked. Rejects with what is
 * wrong, for the operator.
 */
export async function restoreBackup(file: string, dataDir: string): Promise<Restored> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const there = await readdir(dataDir);
  const cutOff = there.includes(PARTIAL) && !there.includes(DATABASE_FILE);
  const foreign = there.filter((name) => !HARMLESS.has(name) && !(cutOff && name === BUNDLES_DIR));
  if (foreign.length > 0) {
    throw new GoflowError(
      'CONFLICT',
      `${dataDir} is not empty (${foreign.slice(0, 3).join(', ')}); a backup is restored into an empty data directory, which may hold ${MASTER_KEY_FILE}`,
    );
  }
  const lock = lockDirectory(dataDir);
  try {
    const partial = path.join(dataDir, PARTIAL);
    if (cutOff) await rm(path.join(dataDir, BUNDLES_DIR), { recursive: true, force: true });
    await rm(partial, { recursive: true, force: true });
    await mkdir(path.join(partial, BUNDLES_DIR), { recursive: true, mode: 0o700 });
    const summary = await readBackup(file, durableFiles(partial));
    checkDatabase(path.join(partial, DATABASE_FILE), file);
    await sync(path.join(partial, BUNDLES_DIR));
    await rename(path.join(partial, BUNDLES_DIR), path.join(dataDir, BUNDLES_DIR));
    await sync(dataDir);
    await rename(path.join(partial, DATABASE_FILE), path.join(dataDir, DATABASE_FILE));
    await sync(dataDir);
    await rm(partial, { recursive: true, force: true });
    return { summary, hasMasterKey: there.includes(MASTER_KEY_FILE) };
  } finally {
    lock.release();
  }
}

function durableFiles(dir: string): Sink {
  return async (name) => {
    const handle = await open(path.join(dir, name), 'wx', 0o600);
    return {
      async write(chunk) {
        await handle.writeFile(chunk);
      },
      async close() {
        await handle.sync();
        await handle.close();
      },
    };
  };
}

function checkDatabase(database: string, file: string): void {
  const connection = new Database(database);
  try {
    checkVersion(connection, `${DATABASE_FILE} in ${file}`);
    const problem = connection.pragma('quick_check(1)', { simple: true });
    if (problem !== 'ok')
      throw new GoflowError('INTERNAL', `${DATABASE_FILE} in ${file} is damaged: ${String(problem)}`);
  } finally {
    connection.close();
  }
}

async function sync(dir: string): Promise<void> {
  // Where folders cannot be synced, the file system does it.
  if (process.platform === 'win32') return;
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
