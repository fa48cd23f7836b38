import { expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { newId } from '../../src/core/ids.ts';
import { ctx, makeDirectory, openStore } from './helpers.ts';
import { startProgram } from './processes.ts';

const WRITES = ['workflow', 'accept', 'start', 'finish', 'storage'];

/** What of the program's writes is there in a store that was opened anew. */
async function written(
  store: Store,
  runId: string,
  workflowId: string,
  earlierId: string,
): Promise<ReadonlySet<string>> {
  const run = await store.runs.get(ctx, 'default', runId);
  const earlier = await store.runs.get(ctx, 'default', earlierId);
  expect(earlier).not.toBeNull();
  const there: Record<string, boolean> = {
    workflow: (await store.workflows.get(ctx, 'default', workflowId)) !== null,
    accept: run !== null,
    start: earlier?.status !== 'queued',
    finish: earlier?.status === 'succeeded',
    storage: (await store.storage.get(ctx, 'default', 'plugin', 'key')) !== null,
  };
  // A run and its key are written together or not at all.
  const key = await store.runs.findIdempotency(ctx, 'default', workflowId, 'order-1');
  expect(key !== null).toBe(there['accept']);
  return new Set(WRITES.filter((name) => there[name]));
}

it.runIf(process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)).each([
  ['sync', 'EIO', 'STORE_UNAVAILABLE'],
  ['write', 'EIO', 'STORE_UNAVAILABLE'],
  ['write', 'ENOSPC', 'STORE_FULL'],
])(
  'acknowledges nothing that a %s failing with %s kept from the disk, whichever is the first to fail',
  async (call, error, code) => {
    const cases = WRITES.map(async (_, index) => {
      const dataDir = makeDirectory();
      const runId = newId('run');
      const workflowId = newId('wf');
      const program = startProgram('failing.ts', dataDir, call, error, String(index + 1), runId, workflowId);
      await program.said('done');
      const lines = program.output().split('\n');
      const named = (kind: string) => lines.filter((line) => line.startsWith(kind)).map((line) => line.split(' ')[1]);
      expect(named('A')).toEqual(WRITES.slice(0, index));
      expect(named('R')).toEqual(WRITES.slice(index));
      for (const line of lines) if (line.startsWith('R')) expect(line).toContain(code);
      await program.kill();

      const { store } = await openStore(dataDir);
      const there = await written(store, runId, workflowId, /earlier (\S+)/.exec(program.output())?.[1] ?? '');
      for (const name of named('A')) expect(there).toContain(name);
      // What could not be written is not there. What was written, but not known to have reached the disk, may be: then it is there as a whole.
      if (call === 'write') expect([...there]).toEqual(WRITES.slice(0, index).filter((name) => there.has(name)));
      await store.storage.set(ctx, 'default', 'plugin', 'after', '1');
    });
    await Promise.all(cases);
  },
);
