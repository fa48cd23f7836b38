import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { GoflowError, messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Store } from '../store.ts';
import { auditStore } from './client/audit.ts';
import { StoreConnection } from './client/connection.ts';
import { credentialStore } from './client/credentials.ts';
import { keyStore } from './client/keys.ts';
import { pluginStore } from './client/plugins.ts';
import { runStore } from './client/runs.ts';
import { scheduleStore } from './client/schedules.ts';
import { pluginStorageStore } from './client/storage.ts';
import { vaultKeyStore } from './client/vault-keys.ts';
import { workflowStore } from './client/workflows.ts';

export interface SqliteStoreOptions {
  /** Created with mode 0700 where it is missing. */
  readonly dataDir: string;
  readonly log: Logger;
}

/** Milliseconds after which `ping` gives the thread up. */
const PING_MS = 2000;

/**
 * Opens the SQLite store of a data directory. Rejects with STORE_UNAVAILABLE or STORE_FULL and a message for the operator when the directory is in
 * use by another host, the database is damaged, of a newer version, locked or cannot be written.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const dataDir = path.resolve(options.dataDir);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new GoflowError('STORE_UNAVAILABLE', `data directory ${dataDir} cannot be made: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const connection = new StoreConnection(dataDir, options.log);
  await connection.open();
  return {
    workflows: workflowStore(connection),
    runs: runStore(connection),
    plugins: pluginStore(connection),
    credentials: credentialStore(connection),
    keys: keyStore(connection),
    audit: auditStore(connection),
    schedules: scheduleStore(connection),
    storage: pluginStorageStore(connection),
    vaultKeys: vaultKeyStore(connection),
    async ping(ctx) {
      const { promise: late, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        reject(new GoflowError('STORE_UNAVAILABLE', `the store has not answered for ${PING_MS} ms`));
      }, PING_MS);
      try {
        await Promise.race([connection.ping(ctx), late]);
      } finally {
        clearTimeout(timer);
      }
    },
    backup: (ctx, file) => connection.backup(ctx, path.resolve(file)),
    metrics: () => connection.meter.families(),
    close: () => connection.close(),
  };
}
