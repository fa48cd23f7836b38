import { createLogging } from '../../../src/core/log.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open.ts';
import { ctx, ended, makeRun, NO_INTERNALS } from '../records.ts';

// Accepts and finishes runs, 16 at once, until it is killed. Says "A id" and "F id" after the store has acknowledged each.
const log = createLogging({ level: 'fatal', levels: {}, write: () => {} }).for('store');
const store = await openSqliteStore({ dataDir: process.argv[2] ?? '', log });

async function work(): Promise<never> {
  for (;;) {
    const run = makeRun({ parameters: { text: 'x'.repeat(300) } });
    await store.runs.accept(ctx, run, NO_INTERNALS);
    process.stdout.write(`A ${run.id}\n`);
    await store.runs.finish(ctx, ended(run), []);
    process.stdout.write(`F ${run.id}\n`);
  }
}

process.stdout.write('open\n');
await Promise.all(Array.from({ length: 16 }, () => work()));
