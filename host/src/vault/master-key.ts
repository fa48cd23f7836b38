import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { GoflowError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { KEY_BYTES } from './cipher.ts';

export const MASTER_KEY_FILE = 'master.key';
/** The new key while a rotation is under way. */
export const NEXT_KEY_FILE = 'master.key.next';

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

/** The key in the data directory; null where there is none. `log` is told when others than its owner may read it. */
export function readMasterKeyFile(dataDir: string, log: Logger | undefined): Uint8Array | null {
  const file = path.join(dataDir, MASTER_KEY_FILE);
  return existsSync(file) ? readKeyFile(file, log) : null;
}

/** The key that a rotation was about to put in its place; null where there is none. */
export function readNextKeyFile(dataDir: string): Uint8Array | null {
  const file = path.join(dataDir, NEXT_KEY_FILE);
  return existsSync(file) ? readKeyFile(file, undefined) : null;
}

export function readKeyFile(file: string, log: Logger | undefined): Uint8Array {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new GoflowError('INTERNAL', `master key ${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const mode = statSync(file).mode & 0o777;
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    const shown = mode.toString(8).padStart(4, '0');
    log?.warn(null, `${file} has mode ${shown}, so others can read the master key; set it to 0600`);
  }
  return parseMasterKey(text, file);
}

/** Makes a key. */
export function makeMasterKeyFile(dataDir: string): Uint8Array {
  const key = randomBytes(KEY_BYTES);
  writeKeyFile(path.join(dataDir, MASTER_KEY_FILE), key);
  return key;
}

/** The file appears whole, on the disk, readable by its owner alone, or not at all, and never over another one. */
export function writeKeyFile(file: string, key: Uint8Array): void {
  viaPartial(file, key, linkSync);
}

/** As `writeKeyFile`, over what is there. */
export function putKeyFile(file: string, key: Uint8Array): void {
  viaPartial(file, key, renameSync);
}

/** Puts the next key in the place of the one before. */
export function takeNextKeyFile(dataDir: string): void {
  renameSync(path.join(dataDir, NEXT_KEY_FILE), path.join(dataDir, MASTER_KEY_FILE));
  syncDirectory(dataDir);
}

function viaPartial(file: string, key: Uint8Array, put: (partial: string, file: string) => void): void {
  const partial = `${file}.${process.pid}`;
  try {
    const descriptor = openSync(partial, 'wx', 0o600);
    try {
      writeSync(descriptor, `${Buffer.from(key).toString('base64')}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    put(partial, file);
    syncDirectory(path.dirname(file));
  } catch (error) {
    throw new GoflowError('INTERNAL', `master key ${file} cannot be made: ${messageOf(error)}`, { cause: error });
  } finally {
    unlinkIfThere(partial);
  }
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
    // Never made, or moved to its place.
  }
}
