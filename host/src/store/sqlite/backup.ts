import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Db } from './db.ts';

/**
 * Copies the database as of one moment to `file`, some pages at a time between batches. The copy takes its name when it is whole and on the
 * disk; an earlier file of that name stays until then.
 */
export async function backupTo(db: Db, file: string): Promise<void> {
  const partial = `${file}.partial`;
  try {
    await db.connection.backup(partial, { progress: () => 256 });
    sync(partial);
    renameSync(partial, file);
    sync(path.dirname(file));
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

function sync(file: string): void {
  const descriptor = openSync(file, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
