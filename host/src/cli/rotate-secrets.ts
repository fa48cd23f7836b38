import { existsSync } from 'node:fs';
import path from 'node:path';
import type { HostConfig } from '../core/config.ts';
import { systemContext } from '../core/context.ts';
import { messageOf } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { createLogging } from '../core/log.ts';
import { DATABASE_FILE } from '../store/sqlite/open-database.ts';
import { openSqliteStore } from '../store/sqlite/open.ts';
import { rotateMasterKey } from '../vault/rotate-master-key.ts';
import { CommandFailure } from './failure.ts';
import { say } from './output.ts';

/** Changes the master key of a stopped host's data directory. The lock of the directory keeps a running host and this apart. */
export async function rotateSecrets(config: HostConfig, newKeyFile: string | undefined): Promise<void> {
  const { dataDir, masterKey } = config;
  if (masterKey !== undefined && newKeyFile === undefined) {
    throw new CommandFailure('GOFLOW_MASTER_KEY is set: name a file for the new key with --new-key-file', 2);
  }
  if (!existsSync(path.join(dataDir, DATABASE_FILE))) {
    throw new CommandFailure(`${dataDir} is no data directory; set GOFLOW_DATA_DIR or --data-dir`);
  }
  const logging = createLogging({ level: 'warn', levels: {}, write: (line) => process.stderr.write(line) });
  try {
    const store = await openSqliteStore({ dataDir, log: logging.for('store') });
    try {
      const file = await rotateMasterKey({ dataDir, masterKey, newKeyFile, store, log: logging.for('auth') });
      await record(store);
      say(`every data key is wrapped with the new master key, which is in ${file}`);
      if (masterKey !== undefined) say('start the host with GOFLOW_MASTER_KEY set to what that file holds');
    } finally {
      await store.close();
    }
  } catch (error) {
    throw new CommandFailure(messageOf(error));
  }
}

async function record(store: Awaited<ReturnType<typeof openSqliteStore>>): Promise<void> {
  const ctx = systemContext();
  await store.audit.append(ctx, {
    id: newId('aud'),
    time: new Date().toISOString(),
    tenant_id: ctx.tenantId,
    actor: { user_id: 'command line', key_id: null, role: 'admin' },
    action: 'secrets.rotate',
    target: null,
    outcome: 'succeeded',
    code: null,
    trace_id: ctx.traceId,
    details: null,
  });
}
