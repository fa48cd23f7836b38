import { expect, it } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { ctx, ended, makeRun, makeWorkflow, NO_INTERNALS, openStore } from './helpers.ts';

it('keeps every version of a workflow, and shows the current one', async () => {
  const { store } = await openStore();
  const first = makeWorkflow();
  await store.workflows.create(ctx, first);
  const second = { ...first, version: 2, name: 'Renamed', definition: { steps: [{ id: 'a' }] } };
  await store.workflows.update(ctx, second, 1);
  expect(await store.workflows.get(ctx, 'default', first.id)).toEqual(second);
  expect(await store.workflows.get(ctx, 'default', first.id, 1)).toEqual(first);
  expect(await store.workflows.findById(ctx, first.id)).toEqual([second]);
});

it('refuses a taken id and an update of another version than the current one', async () => {
  const { store } = await openStore();
  const workflow = makeWorkflow({ id: 'welcome' });
  await store.workflows.create(ctx, workflow);
  await expect(store.workflows.create(ctx, workflow)).rejects.toMatchObject({ code: 'CONFLICT' });
  await store.workflows.update(ctx, { ...workflow, version: 2 }, 1);
  await expect(store.workflows.update(ctx, { ...workflow, version: 2 }, 1)).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(store.workflows.update(ctx, makeWorkflow({ id: 'gone' }), 1)).rejects.toMatchObject({
    code: 'CONFLICT',
  });
});

it('gives each tenant its own ids, and a webhook all workflows of an id', async () => {
  const { store } = await openStore();
  const mine = makeWorkflow({ id: 'welcome' });
  const theirs = makeWorkflow({ id: 'welcome', tenant_id: 'other', name: 'Theirs' });
  await store.workflows.create(ctx, mine);
  await store.workflows.create(ctx, theirs);
  await store.workflows.update(ctx, { ...theirs, version: 2 }, 1);
  expect(await store.workflows.get(ctx, 'default', 'welcome')).toEqual(mine);
  expect(await store.workflows.findById(ctx, 'welcome')).toEqual([mine, { ...theirs, version: 2 }]);
  expect(await store.workflows.delete(ctx, 'other', 'welcome')).toBe(true);
  expect(await store.workflows.get(ctx, 'default', 'welcome')).toEqual(mine);
});

it('lets two tenants choose the same id, and nobody take one that the host made for another', async () => {
  const { store } = await openStore();
  const orders = makeWorkflow({ id: 'orders', name: 'Ours' });
  const theirs = { ...orders, tenant_id: 'other', name: 'Theirs' };
  await store.workflows.create(ctx, orders);
  await store.workflows.create(ctx, theirs);
  await store.workflows.update(ctx, { ...theirs, version: 2, is_active: false }, 1);
  expect(await store.workflows.get(ctx, 'default', 'orders')).toEqual(orders);
  expect((await store.workflows.findById(ctx, 'orders')).map(({ name }) => name)).toEqual(['Ours', 'Theirs']);
  const generated = makeWorkflow({ id: newId('wf') });
  await store.workflows.create(ctx, generated);
  await expect(store.workflows.create(ctx, { ...generated, tenant_id: 'other' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

it('hides a workflow from other tenants', async () => {
  const { store } = await openStore();
  const workflow = makeWorkflow();
  await store.workflows.create(ctx, workflow);
  expect(await store.workflows.get(ctx, 'other', workflow.id)).toBeNull();
  expect(await store.workflows.setActive(ctx, 'other', workflow.id, false)).toBeNull();
  expect(await store.workflows.delete(ctx, 'other', workflow.id)).toBe(false);
  expect((await store.workflows.list(ctx, 'other', { limit: 10 })).items).toEqual([]);
});

it('changes is_active without a new version', async () => {
  const { store } = await openStore();
  const workflow = makeWorkflow();
  await store.workflows.create(ctx, workflow);
  expect(await store.workflows.setActive(ctx, 'default', workflow.id, false)).toEqual({
    ...workflow,
    is_active: false,
  });
});

it('keeps the versions of a deleted workflow for its runs, and goes on counting when the id is used again', async () => {
  const { store } = await openStore();
  const old = makeWorkflow({ id: 'welcome', definition: { action: 'old' } });
  await store.workflows.create(ctx, old);
  const run = makeRun({ workflow_id: 'welcome' });
  await store.runs.accept(ctx, run, NO_INTERNALS);
  expect(await store.workflows.delete(ctx, 'default', 'welcome')).toBe(true);
  expect(await store.workflows.get(ctx, 'default', 'welcome')).toBeNull();
  const again = await store.workflows.create(ctx, { ...old, definition: { action: 'new' } });
  expect(again.version).toBe(2);
  expect((await store.workflows.get(ctx, 'default', 'welcome', 1))?.definition).toEqual({ action: 'old' });
  expect((await store.workflows.get(ctx, 'default', 'welcome'))?.definition).toEqual({ action: 'new' });
  expect(await store.runs.finish(ctx, ended(run), [])).toBe(true);
});

it('lists newest first, page by page, and refuses cursors and limits that it did not give', async () => {
  const { store } = await openStore();
  const all = Array.from({ length: 7 }, (_, index) => makeWorkflow({ id: `wf-${index}` }));
  for (const workflow of all) await store.workflows.create(ctx, workflow);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await store.workflows.list(ctx, 'default', { limit: 3, ...(cursor === null ? {} : { cursor }) });
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(seen).toEqual(all.map(({ id }) => id).toReversed());
  for (const wrong of ['', 'x', 'cnVucy4xLjI', '../../etc', '🦊']) {
    await expect(store.workflows.list(ctx, 'default', { limit: 3, cursor: wrong })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  }
  for (const limit of [0, -1, 201, 1.5, Number.NaN]) {
    await expect(store.workflows.list(ctx, 'default', { limit })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  }
});
