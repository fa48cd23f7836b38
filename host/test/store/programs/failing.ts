import { createLogging } from '../../../src/core/log.ts';
import { GoflowError } from '../../../src/core/errors.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open.ts';
import { ctx, ended, makeKey, makeRun, makeWorkflow, NO_INTERNALS } from '../records.ts';
import { failFromNowOn, type FailingCall } from './failing-calls.ts';

// Accepts a run, then carries out writes of each kind one after the other; from the n-th on, writing or syncing fails. Says "A name" or "R name code" for each, and ends
// without closing anything: failing DATA_DIR sync|write EIO|ENOSPC N RUN WORKFLOW
const [dataDir = '', call, error, from, runId = '', workflowId = ''] = process.argv.slice(2);
const log = createLogging({ level: 'fatal', levels: {}, write: () => {} }).for('store');
const store = await openSqliteStore({ dataDir, log });
const run = makeRun({ id: runId, workflow_id: workflowId });
const earlier = makeRun({ workflow_id: workflowId });
const workflow = makeWorkflow({ id: workflowId });
await store.runs.accept(ctx, earlier, NO_INTERNALS);
process.stdout.write(`earlier ${earlier.id}\n`);

const writes: ReadonlyArray<readonly [string, () => Promise<unknown>]> = [
  ['workflow', () => store.workflows.create(ctx, workflow)],
  ['accept', () => store.runs.accept(ctx, run, NO_INTERNALS, makeKey(run.id, { workflow_id: workflowId }))],
  ['start', () => store.runs.start(ctx, earlier.id, 1, new Date().toISOString())],
  ['finish', () => store.runs.finish(ctx, ended(earlier), [])],
  ['storage', () => store.storage.set(ctx, 'default', 'plugin', 'key', '"value"')],
];
for (const [index, [name, write]] of writes.entries()) {
  if (index + 1 === Number(from)) failFromNowOn(call as FailingCall, error as 'EIO' | 'ENOSPC');
  try {
    await write();
    process.stdout.write(`A ${name}\n`);
  } catch (thrown) {
    process.stdout.write(`R ${name} ${thrown instanceof GoflowError ? thrown.code : String(thrown)}\n`);
    // Reads go on meanwhile.
    await store.runs.list(ctx, 'default', { limit: 10 });
  }
}
process.stdout.write('done\n');
process.kill(process.pid, 'SIGKILL');
