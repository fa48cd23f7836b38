import { expect, it } from 'vitest';
import { RUN_STATUSES, type RunRecord } from '../../src/core/records.ts';
import type { RunFilter, Store } from '../../src/store/store.ts';
import { ctx, ended, makeRun, NO_INTERNALS, openStore } from './helpers.ts';

const DAY = Date.UTC(2026, 0, 1);

/** 120 runs of two tenants and three workflows in every status; several share a millisecond. */
async function fill(store: Store): Promise<RunRecord[]> {
  const runs: RunRecord[] = [];
  const writes: Promise<unknown>[] = [];
  for (let index = 0; index < 120; index += 1) {
    const status = RUN_STATUSES[index % RUN_STATUSES.length] ?? 'queued';
    const accepted = makeRun({
      tenant_id: index % 5 === 0 ? 'other' : 'default',
      workflow_id: `wf_${index % 7 < 3 ? 1 : index % 3}`,
      created_at: new Date(DAY + Math.floor(index / 4) * 1000).toISOString(),
      status: status === 'running' ? 'running' : 'queued',
    });
    writes.push(store.runs.accept(ctx, accepted, NO_INTERNALS));
    if (status === 'queued' || status === 'running') {
      runs.push(accepted);
      continue;
    }
    const end = ended(accepted, { status });
    writes.push(store.runs.finish(ctx, end, []));
    runs.push(end);
  }
  await Promise.all(writes);
  return runs;
}

async function pages(store: Store, tenantId: string, filter: RunFilter): Promise<RunRecord[]> {
  const seen: RunRecord[] = [];
  for (let cursor: string | null = null; ; ) {
    const page = await store.runs.list(ctx, tenantId, { ...filter, ...(cursor === null ? {} : { cursor }) });
    expect(page.items.length).toBeLessThanOrEqual(filter.limit);
    seen.push(...page.items);
    cursor = page.next_cursor;
    if (cursor === null) return seen;
  }
}

it('answers every filter with exactly what it names, newest first, on pages of any size', async () => {
  const { store } = await openStore();
  const all = (await fill(store)).toReversed();
  const since = new Date(DAY + 5000).toISOString();
  const until = new Date(DAY + 20_000).toISOString();
  for (const status of [undefined, 'succeeded', 'queued', 'running'] as const) {
    for (const workflow_id of [undefined, 'wf_1', 'wf_2', 'wf_none']) {
      for (const range of [{}, { since }, { until }, { since, until }]) {
        const expected = all.filter(
          (run) =>
            run.tenant_id === 'default' &&
            (status === undefined || run.status === status) &&
            (workflow_id === undefined || run.workflow_id === workflow_id) &&
            (!('since' in range) || run.created_at >= range.since) &&
            (!('until' in range) || run.created_at < range.until),
        );
        const filter = {
          ...(status === undefined ? {} : { status }),
          ...(workflow_id === undefined ? {} : { workflow_id }),
          ...range,
        };
        expect(await pages(store, 'default', { ...filter, limit: 7 })).toEqual(expected);
        expect(await pages(store, 'default', { ...filter, limit: 200 })).toEqual(expected);
      }
    }
  }
});

it('shows each run once while new ones arrive between the pages', async () => {
  const { store } = await openStore();
  const before = await fill(store);
  const first = await store.runs.list(ctx, 'other', { limit: 10 });
  await store.runs.accept(ctx, makeRun({ tenant_id: 'other' }), NO_INTERNALS);
  const rest = await pages(store, 'other', {
    limit: 200,
    ...(first.next_cursor === null ? {} : { cursor: first.next_cursor }),
  });
  const expected = before.filter((run) => run.tenant_id === 'other').toReversed();
  expect([...first.items, ...rest]).toEqual(expected);
});

it('ends a page of very large runs early and goes on at its cursor', async () => {
  const { store } = await openStore();
  const runs = Array.from({ length: 8 }, () => makeRun());
  for (const run of runs) {
    await store.runs.accept(ctx, run, NO_INTERNALS);
    await store.runs.finish(ctx, ended(run, { output: 'x'.repeat(1024 * 1024) }), []);
  }
  const page = await store.runs.list(ctx, 'default', { limit: 200 });
  expect(page.items.length).toBeLessThan(runs.length);
  expect((await pages(store, 'default', { limit: 200 })).map(({ id }) => id)).toEqual(
    runs.map(({ id }) => id).toReversed(),
  );
});

it('finds the few runs of a rare status among many of a workflow', async () => {
  const { store } = await openStore();
  const rare = makeRun();
  await store.runs.accept(ctx, rare, NO_INTERNALS);
  await store.runs.finish(ctx, ended(rare, { status: 'failed' }), []);
  const many = Array.from({ length: 6000 }, () => makeRun());
  await Promise.all(many.map((run) => store.runs.accept(ctx, run, NO_INTERNALS)));
  const page = await store.runs.list(ctx, 'default', { limit: 5, workflow_id: 'wf_1', status: 'failed' });
  expect(page).toMatchObject({ items: [{ id: rare.id }], next_cursor: null });
});

it('refuses times and cursors that are none', async () => {
  const { store } = await openStore();
  for (const filter of [
    { since: 'yesterday' },
    { until: '' },
    { cursor: 'd29ya2Zsb3dzLjE' },
    { cursor: 'x'.repeat(9999) },
  ]) {
    await expect(store.runs.list(ctx, 'default', { limit: 5, ...filter })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  }
});
