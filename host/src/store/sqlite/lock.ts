import Database from 'better-sqlite3';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isLocked, Refusal } from './failure.ts';

/**
 * One host per data directory: an exclusive SQLite transaction on a small file of its own, held as long as the host lives. The lock is one of the operating
 * system, so it goes with its process, however that ends.
 *
 * Nothing else in this process may open and close that file: POSIX drops all of a process's locks on a file when any descriptor of it is closed.
 */
export interface DirectoryLock {
  /** Whoever holds the lock must keep this object: the garbage collector closes a database that nothing refers to, and the lock with it. */
  release(): void;
}

/** Throws a Refusal when another host has the directory. */
export function lockDirectory(dataDir: string): DirectoryLock {
  const pidFile = path.join(dataDir, 'host.pid');
  const lock = new Database(path.join(dataDir, 'host.lock'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!isLocked(error)) throw error;
    throw new Refusal(
      'STORE_UNAVAILABLE',
      `data directory ${dataDir} is in use by another host${holder(pidFile)}; stop that one, or give this one a GOFLOW_DATA_DIR of its own`,
    );
  }
  try {
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch {
    // A full disk must not keep a host from reading what it has.
  }
  return { release: () => void lock.close() };
}

// Only for the message; the lock is what counts.
function holder(pidFile: string): string {
  try {
    const pid = readFileSync(pidFile, 'utf8').trim();
    return /^[0-9]+$/.test(pid) ? ` (process ${pid})` : '';
  } catch {
    return '';
  }
}
