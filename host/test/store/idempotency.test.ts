import { expect, it } from 'vitest';
import { ctx, makeKey, makeRun, makeWorkflow, NO_INTERNALS, openStore } from './helpers.ts';

const HOUR = 60 * 60 * 1000;

it('accepts one of many concurrent runs with the same key and gives the others its record', async () => {
  const { store } = await openStore();
  const runs = Array.from({ length: 20 }, () => makeRun());
  const answers = await Promise.all(
    runs.map((run) => store.runs.accept(ctx, run, NO_INTERNALS, makeKey(run.id, { wait_ms: 5000 }))),
  );
  const winners = answers.filter(({ existing }) => existing === null);
  expect(winners).toHaveLength(1);
  const winner = runs[answers.findIndex(({ existing }) => existing === null)];
  for (const { existing } of answers) {
    if (existing !== null) expect(existing).toMatchObject({ run_id: winner?.id, wait_ms: 5000 });
  }
  expect((await store.runs.list(ctx, 'default', { limit: 200 })).items.map(({ id }) => id)).toEqual([winner?.id]);
});

it('keeps keys of tenants, workflows and names apart', async () => {
  const { store } = await openStore();
  for (const over of [{}, { tenant_id: 'other' }, { workflow_id: 'wf_2' }, { key: 'order-2' }]) {
    const run = makeRun();
    expect(await store.runs.accept(ctx, run, NO_INTERNALS, makeKey(run.id, over))).toEqual({ existing: null });
  }
});

it('remembers a key over a restart, for 24 hours', async () => {
  const { store, dataDir } = await openStore();
  const old = makeRun();
  const recorded = makeKey(old.id, { created_at: new Date(Date.now() - 23 * HOUR).toISOString() });
  await store.runs.accept(ctx, old, NO_INTERNALS, recorded);
  const expired = makeRun();
  const gone = makeKey(expired.id, { key: 'old', created_at: new Date(Date.now() - 24 * HOUR - 1).toISOString() });
  await store.runs.accept(ctx, expired, NO_INTERNALS, gone);
  await store.close();

  const { store: again } = await openStore(dataDir);
  const second = makeRun();
  expect(await again.runs.accept(ctx, second, NO_INTERNALS, makeKey(second.id))).toEqual({ existing: recorded });
  expect(await again.runs.get(ctx, 'default', second.id)).toBeNull();
  expect(await again.runs.findIdempotency(ctx, 'default', 'wf_1', 'order-1')).toEqual(recorded);
  expect(await again.runs.findIdempotency(ctx, 'default', 'wf_1', 'old')).toBeNull();
  const third = makeRun();
  expect(await again.runs.accept(ctx, third, NO_INTERNALS, makeKey(third.id, { key: 'old' }))).toEqual({
    existing: null,
  });
  expect(await again.runs.findIdempotency(ctx, 'default', 'wf_1', 'old')).toMatchObject({ run_id: third.id });
});

it('takes no key for a run that cannot be accepted', async () => {
  const { store } = await openStore();
  const run = makeRun();
  await store.runs.accept(ctx, run, NO_INTERNALS);
  await expect(store.runs.accept(ctx, run, NO_INTERNALS, makeKey(run.id))).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(await store.runs.findIdempotency(ctx, 'default', 'wf_1', 'order-1')).toBeNull();
});

it('forgets the keys of a deleted workflow', async () => {
  const { store } = await openStore();
  const workflow = makeWorkflow({ id: 'wf_1' });
  await store.workflows.create(ctx, workflow);
  const run = makeRun();
  await store.runs.accept(ctx, run, NO_INTERNALS, makeKey(run.id));
  await store.workflows.delete(ctx, 'default', 'wf_1');
  expect(await store.runs.findIdempotency(ctx, 'default', 'wf_1', 'order-1')).toBeNull();
});
