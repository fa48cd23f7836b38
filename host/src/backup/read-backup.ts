import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { GoflowError, messageOf } from '../core/errors.ts';
import { DATABASE_FILE } from '../store/sqlite/open-database.ts';
import {
  BACKUP_FORMAT,
  BUNDLE_NAME,
  BUNDLES_DIR,
  SUMMARY_FILE,
  type BackupFile,
  type BackupSummary,
} from './format.ts';
import { paddingOf, readTarHeader, TAR_BLOCK, type TarEntry } from './tar.ts';

/** Takes the content of one file of a backup, piece by piece. */
export type Sink = (name: string) => Promise<{ write(chunk: Uint8Array): Promise<void>; close(): Promise<void> }>;

const CHUNK = 1024 * 1024;
const MAX_SUMMARY = 16 * 1024 * 1024;

/**
 * Reads a backup from its first byte to its last and hands its files on. What was handed on may be trusted only when this resolves: then every file was
 * there with its digest, and nothing else. Rejects with what is wrong, for the operator.
 */
export async function readBackup(file: string, sink: Sink | null): Promise<BackupSummary> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    throw new GoflowError('INTERNAL', `the backup cannot be opened: ${messageOf(error)}`);
  }
  try {
    const files: BackupFile[] = [];
    for (let at = 0; ; ) {
      const entry = readTarHeader(await bytes(handle, at, TAR_BLOCK));
      if (entry === null) break;
      at += TAR_BLOCK;
      if (entry.name === SUMMARY_FILE) return checked(await bytes(handle, at, summarySize(entry)), files);
      files.push(await readFile(handle, at, entry, sink));
      at += entry.size + paddingOf(entry.size);
    }
  } catch (error) {
    throw new GoflowError('INTERNAL', `${file} cannot be restored: ${messageOf(error)}`);
  } finally {
    await handle.close();
  }
  throw new GoflowError('INTERNAL', `${file} cannot be restored: it has no ${SUMMARY_FILE}, so it is not a backup`);
}

async function readFile(handle: FileHandle, from: number, entry: TarEntry, sink: Sink | null): Promise<BackupFile> {
  // No other name is ever written anywhere.
  const [dir, bundle = ''] = entry.name.split('/');
  const known =
    entry.name === DATABASE_FILE ||
    (dir === BUNDLES_DIR && entry.name === `${dir}/${bundle}` && BUNDLE_NAME.test(bundle));
  if (!known) throw new GoflowError('INTERNAL', `${JSON.stringify(entry.name)} belongs in no backup`);
  const target = (await sink?.(entry.name)) ?? null;
  const hash = createHash('sha256');
  try {
    for (let read = 0; read < entry.size; ) {
      const chunk = await bytes(handle, from + read, Math.min(CHUNK, entry.size - read));
      hash.update(chunk);
      await target?.write(chunk);
      read += chunk.length;
    }
  } finally {
    await target?.close();
  }
  return { ...entry, sha256: hash.digest('hex') };
}

async function bytes(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let read = 0; read < length; ) {
    const { bytesRead } = await handle.read(buffer, read, length - read, position + read);
    if (bytesRead === 0) throw new GoflowError('INTERNAL', 'it is cut off');
    read += bytesRead;
  }
  return buffer;
}

function summarySize({ size }: TarEntry): number {
  if (size > MAX_SUMMARY) throw new GoflowError('INTERNAL', `its ${SUMMARY_FILE} is too large`);
  return size;
}

function checked(text: Buffer, files: readonly BackupFile[]): BackupSummary {
  const summary = JSON.parse(text.toString('utf8')) as Omit<BackupSummary, 'format'> & { readonly format: string };
  if (summary.format !== BACKUP_FORMAT) {
    throw new GoflowError(
      'INTERNAL',
      `it has the format ${JSON.stringify(summary.format)}, this GoFlow reads ${BACKUP_FORMAT}`,
    );
  }
  const same = JSON.stringify(summary.files) === JSON.stringify(files);
  if (!same) throw new GoflowError('INTERNAL', 'it is damaged: its files are not those that it names');
  return { ...summary, format: BACKUP_FORMAT };
}
