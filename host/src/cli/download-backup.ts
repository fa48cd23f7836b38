import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { BackupSummary } from '../backup/format.ts';
import { readBackup } from '../backup/read-backup.ts';
import { messageOf } from '../core/errors.ts';
import type { Client } from './client.ts';
import { CommandFailure } from './failure.ts';

/** Writes the backup of a running host to a file, which gets its name when it is whole, has been read back, and is on the disk. */
export async function downloadBackup(client: Client, file: string): Promise<BackupSummary> {
  const partial = `${file}.partial`;
  try {
    const body = await client.download('/api/backup');
    await pipeline(body, createWriteStream(partial, { mode: 0o600 }));
    const summary = await readBackup(partial, null);
    await sync(partial);
    await rename(partial, file);
    return summary;
  } catch (error) {
    await rm(partial, { force: true });
    throw error instanceof CommandFailure ? error : new CommandFailure(`no backup was made: ${messageOf(error)}`);
  }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
