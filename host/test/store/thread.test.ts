import type { Worker } from 'node:worker_threads';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ctx, makeDirectory, makeRun, makeWorkflow, NO_INTERNALS, openStore } from './helpers.ts';

/** The worker threads that are started during the test. */
function watchThreads(): Worker[] {
  const started: Worker[] = [];
  const note = (worker: Worker): void => void started.push(worker);
  process.on('worker', note);
  onTestFinished(() => void process.off('worker', note));
  return started;
}

it('rejects what waits when the thread dies, and works again by itself', async () => {
  const threads = watchThreads();
  const { store, lines } = await openStore();
  const run = makeRun();
  await store.runs.accept(ctx, run, NO_INTERNALS);
  const waiting = store.runs.list(ctx, 'default', { limit: 10 });
  const outcome = expect(waiting).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryAfter: 1 });
  await threads[0]?.terminate();
  await outcome;
  await expect(store.ping(ctx)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await expect
    .poll(
      () =>
        store.ping(ctx).then(
          () => true,
          () => false,
        ),
      { timeout: 20_000 },
    )
    .toBe(true);
  expect(await store.runs.get(ctx, 'default', run.id)).toEqual(run);
  expect(lines.join('\n')).toContain('store thread runs again');
});

it('carries out what was sent before it closes, and refuses what comes after', async () => {
  const { store, dataDir } = await openStore();
  const runs = Array.from({ length: 50 }, () => makeRun());
  const writes = Promise.all(runs.map((run) => store.runs.accept(ctx, run, NO_INTERNALS)));
  await store.close();
  await writes;
  await expect(store.ping(ctx)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await store.close();
  // A clean end leaves no log behind.
  expect(existsSync(path.join(dataDir, 'goflow.db-wal'))).toBe(false);
  const { store: again } = await openStore(dataDir);
  expect((await again.runs.list(ctx, 'default', { limit: 200 })).items).toHaveLength(50);
});

it('keeps its files from other users', async () => {
  const dataDir = path.join(makeDirectory(), 'a', 'b');
  await openStore(dataDir);
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  expect(statSync(path.join(dataDir, 'goflow.db')).mode & 0o777).toBe(0o600);
});

it('says what is wrong with a data directory that cannot be', async () => {
  await expect(openStore('/dev/null/goflow')).rejects.toThrow(/data directory .* cannot be made/);
});

it('backs up to one file while it goes on, and a host starts from it', async () => {
  const { store } = await openStore();
  const workflow = makeWorkflow();
  await store.workflows.create(ctx, workflow);
  const target = makeDirectory();
  const file = path.join(target, 'goflow.db');
  const backup = store.backup(ctx, file);
  const during = Array.from({ length: 200 }, () => makeRun());
  await Promise.all(during.map((run) => store.runs.accept(ctx, run, NO_INTERNALS)));
  await backup;
  expect(existsSync(`${file}.partial`)).toBe(false);
  const { store: restored } = await openStore(target);
  expect(await restored.workflows.get(ctx, 'default', workflow.id)).toEqual(workflow);
  await expect(store.backup(ctx, path.join(target, 'none', 'x.db'))).rejects.toThrow();
});
