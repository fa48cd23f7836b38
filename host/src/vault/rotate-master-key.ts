import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '../core/log.ts';
import type { Store } from '../store/store.ts';
import { KEY_BYTES } from './cipher.ts';
import {
  MASTER_KEY_FILE,
  NEXT_KEY_FILE,
  putKeyFile,
  readKeyFile,
  takeNextKeyFile,
  writeKeyFile,
} from './master-key.ts';
import { openVault } from './vault.ts';

export interface RotationOptions {
  readonly dataDir: string;
  /** `GOFLOW_MASTER_KEY`, where the host is started with it; else the key file of the data directory is in use. */
  readonly masterKey: string | undefined;
  /** File with the new key, base64 of 32 bytes; made, readable by its owner alone, where it does not exist. Needed with `masterKey`. */
  readonly newKeyFile: string | undefined;
  readonly store: Pick<Store, 'vaultKeys'>;
  readonly log: Logger;
}

/**
 * Wraps the data keys of all tenants with a new master key: one transaction, whatever the amount of secrets, because those are sealed with the data
 * keys. Answers where the new key is, for the operator.
 *
 * With a key file, the new one is written beside it first and takes its place afterwards; a start after a crash in between finds which of the two
 * fits (`openVault`).
 */
export async function rotateMasterKey(options: RotationOptions): Promise<string> {
  const { dataDir, masterKey, newKeyFile, store, log } = options;
  const vault = await openVault({ dataDir, masterKey, store, log });
  const given = newKeyFile === undefined ? undefined : path.resolve(newKeyFile);
  const key = given !== undefined && existsSync(given) ? readKeyFile(given, log) : randomBytes(KEY_BYTES);
  const text = Buffer.from(key).toString('base64');
  if (given !== undefined && !existsSync(given)) writeKeyFile(given, key);
  if (masterKey !== undefined && masterKey !== '') {
    await vault.rotate(text);
    return given as string;
  }
  putKeyFile(path.join(dataDir, NEXT_KEY_FILE), key);
  await vault.rotate(text);
  takeNextKeyFile(dataDir);
  return path.join(dataDir, MASTER_KEY_FILE);
}
