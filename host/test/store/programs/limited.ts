import { setTimeout as sleep } from 'node:timers/promises';
import { createLogging } from '../../../src/core/log.ts';
import { GoflowError } from '../../../src/core/errors.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open.ts';
import { ctx, makeRun, NO_INTERNALS } from '../records.ts';

// Accepts runs under a limit of the file size until one is refused, then until one is accepted again. Says "A id" for each acknowledged run, "R id code" for
// each refused one.
process.on('SIGXFSZ', () => {});
const log = createLogging({ level: 'fatal', levels: {}, write: () => {} }).for('store');
const store = await openSqliteStore({ dataDir: process.argv[2] ?? '', log });

let refused = false;
for (let recovered = false; !recovered; ) {
  const run = makeRun();
  try {
    await store.runs.accept(ctx, run, NO_INTERNALS);
    process.stdout.write(`A ${run.id}\n`);
    recovered = refused;
  } catch (error) {
    refused = true;
    process.stdout.write(`R ${run.id} ${error instanceof GoflowError ? error.code : String(error)}\n`);
    // Reads go on meanwhile.
    await store.runs.list(ctx, 'default', { limit: 10 });
    await sleep(10);
  }
}
await store.close();
process.stdout.write('closed\n');
