import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import path from 'node:path';
import { GoflowError, messageOf } from '../core/errors.ts';
import { KEY_BYTES } from './cipher.ts';

export const MASTER_KEY_FILE = 'master.key';

/** The key of `GOFLOW_MASTER_KEY`: base64 of 32 bytes. Throws with the name of the variable, never with its value. */
export function parseMasterKey(text: string, source: string): Uint8Array {
  const trimmed = text.trim();
  const key = Buffer.from(trimmed, 'base64');
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(trimmed) && key.length === KEY_BYTES) return key;
  throw new GoflowError(
    'INTERNAL',
    `${source} must be base64 of ${KEY_BYTES} bytes (44 characters), got ${trimmed.length} characters that hold ${key.length} bytes; make one with: openssl rand -base64 ${KEY_BYTES}`,
  );
}

/** The key in the data directory; null where there is none. `warn` is told when others than its owner may read it. */
export function readMasterKeyFile(dataDir: string, warn: (message: string) => void): Uint8Array | null {
  const file = path.join(dataDir, MASTER_KEY_FILE);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new GoflowError('INTERNAL', `master key ${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const mode = statSync(file).mode & 0o777;
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    warn(`${file} has mode ${mode.toString(8).padStart(4, '0')}, so others can read the master key; set it to 0600`);
  }
  return parseMasterKey(text, file);
}

/** Makes a key. The file appears whole, on the disk, or not at all, and never over another one. */
export function makeMasterKeyFile(dataDir: string): Uint8Array {
  const file = path.join(dataDir, MASTER_KEY_FILE);
  const partial = `${file}.${process.pid}`;
  const key = randomBytes(KEY_BYTES);
  try {
    const descriptor = openSync(partial, 'wx', 0o600);
    try {
      writeSync(descriptor, `${key.toString('base64')}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    linkSync(partial, file);
    syncDirectory(dataDir);
  } catch (error) {
    throw new GoflowError('INTERNAL', `master key ${file} cannot be made: ${messageOf(error)}`, { cause: error });
  } finally {
    unlinkIfThere(partial);
  }
  return key;
}

function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function unlinkIfThere(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // Never made.
  }
}
