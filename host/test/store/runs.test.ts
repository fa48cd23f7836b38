import { expect, it } from 'vitest';
import { newContext } from '../../src/core/context.ts';
import type { RunRecord } from '../../src/core/records.ts';
import { ctx, ended, makeLogs, makeRun, NO_INTERNALS, openStore } from './helpers.ts';

const HARD_TEXT = 'zero \u0000 quote " \' emoji 🦊 lone \ud800';

it('gives a run back as it was accepted', async () => {
  const { store } = await openStore();
  const run = makeRun({
    trigger: { type: 'webhook', body: { a: [1, null, { b: true }] }, headers: { 'x-a': '1' } },
    parameters: { text: HARD_TEXT, ['__proto__']: { a: 1 }, big: 2 ** 53 - 1, list: [] },
  });
  const internals = { sealed_parameters: Uint8Array.of(1, 2, 3), parent_span_id: '00f067aa0ba902b7' };
  expect(await store.runs.accept(ctx, run, internals)).toEqual({ existing: null });
  expect(await store.runs.get(ctx, 'default', run.id)).toEqual(run);
  expect(await store.runs.get(ctx, 'other', run.id)).toBeNull();
  expect(await store.runs.internals(ctx, run.id)).toEqual(internals);
  expect(await store.runs.internals(ctx, 'run_none')).toBeNull();
});

it('writes start, steps and end, and gives them back', async () => {
  const { store } = await openStore();
  const run = makeRun();
  await store.runs.accept(ctx, run, NO_INTERNALS);
  const at = '2026-01-01T00:00:00.123Z';
  expect(await store.runs.start(ctx, run.id, 1, at)).toBe(true);
  expect(await store.runs.get(ctx, 'default', run.id)).toMatchObject({ status: 'running', attempt: 1, started_at: at });
  const step: RunRecord['steps'][number] = {
    id: 'main',
    action: 'send_email',
    plugin: 'email',
    plugin_version: '1.0.0',
    plugin_digest: 'sha256-x',
    status: 'succeeded',
    started_at: at,
    finished_at: at,
    duration_ms: 0.5,
    attempt: 1,
    output: { ok: true },
    error: null,
  };
  await store.runs.saveStep(ctx, run.id, [step]);
  expect((await store.runs.get(ctx, 'default', run.id))?.steps).toEqual([step]);
  const error = { code: 'X', message: 'no', retryable: false, details: null };
  const end = ended({ ...run, steps: [step] }, { status: 'failed', error, ended_by: 'restart', output: [1] });
  expect(await store.runs.finish(ctx, end, [])).toBe(true);
  expect(await store.runs.get(ctx, 'default', run.id)).toEqual(end);
});

it('never changes a run that has ended', async () => {
  const { store } = await openStore();
  const run = makeRun();
  await store.runs.accept(ctx, run, NO_INTERNALS);
  const end = ended(run, { output: 'first' });
  expect(await store.runs.finish(ctx, end, makeLogs(1, 2))).toBe(true);
  expect(await store.runs.finish(ctx, ended(run, { status: 'failed' }), makeLogs(3, 3))).toBe(false);
  expect(await store.runs.start(ctx, run.id, 2, end.created_at)).toBe(false);
  await store.runs.saveStep(ctx, run.id, [{ ...({} as RunRecord['steps'][number]), id: 'late' }]);
  await store.runs.appendLogs(ctx, run.id, makeLogs(3, 3));
  expect(await store.runs.get(ctx, 'default', run.id)).toEqual(end);
  expect(await store.runs.logs(ctx, 'default', run.id, 0, 10)).toEqual(makeLogs(1, 2));
});

it('fills in how a run was ended from outside, once, and never for one that ended by itself', async () => {
  const { store } = await openStore();
  const run = makeRun();
  const ending = { answered_after_ms: 3.5, thread_gone_after_ms: 12.25, engine_killed: false };
  await store.runs.accept(ctx, run, NO_INTERNALS);
  expect(await store.runs.noteEnding(ctx, run.id, ending)).toBe(false);
  const end = ended(run, { status: 'timed_out', ended_by: 'deadline' });
  await store.runs.finish(ctx, end, []);
  expect((await store.runs.get(ctx, 'default', run.id))?.ending).toBe(null);
  expect(await store.runs.noteEnding(ctx, run.id, ending)).toBe(true);
  expect(await store.runs.noteEnding(ctx, run.id, { ...ending, engine_killed: true })).toBe(false);
  expect(await store.runs.get(ctx, 'default', run.id)).toEqual({ ...end, ending });

  const sound = makeRun();
  await store.runs.accept(ctx, sound, NO_INTERNALS);
  await store.runs.finish(ctx, ended(sound), []);
  expect(await store.runs.noteEnding(ctx, sound.id, ending)).toBe(false);
});

it('refuses an end that is none, and ends nothing that is not there', async () => {
  const { store } = await openStore();
  await expect(store.runs.finish(ctx, makeRun(), [])).rejects.toMatchObject({ code: 'INTERNAL' });
  expect(await store.runs.finish(ctx, ended(makeRun()), [])).toBe(false);
});

it('refuses a second run of the same id and leaves the first as it is', async () => {
  const { store } = await openStore();
  const run = makeRun();
  await store.runs.accept(ctx, run, NO_INTERNALS);
  await expect(store.runs.accept(ctx, { ...run, user_id: 'else' }, NO_INTERNALS)).rejects.toMatchObject({
    code: 'CONFLICT',
  });
  expect(await store.runs.get(ctx, 'default', run.id)).toEqual(run);
});

it('gives log lines in order, from after any line, those of the end included', async () => {
  const { store } = await openStore();
  const run = makeRun();
  await store.runs.accept(ctx, run, NO_INTERNALS);
  await store.runs.appendLogs(ctx, run.id, makeLogs(1, 150));
  await store.runs.appendLogs(ctx, run.id, makeLogs(151, 152));
  await store.runs.finish(ctx, ended(run), makeLogs(153, 160));
  for (const [after, limit] of [
    [0, 200],
    [0, 5],
    [63, 2],
    [64, 70],
    [149, 5],
    [155, 2],
    [160, 10],
  ] as const) {
    const expected = makeLogs(1, 160).slice(after, after + limit);
    expect(await store.runs.logs(ctx, 'default', run.id, after, limit)).toEqual(expected);
  }
  expect(await store.runs.logs(ctx, 'other', run.id, 0, 10)).toEqual([]);
});

it('gives what has not ended to a restart, oldest first, of all tenants', async () => {
  const { store } = await openStore();
  const runs = Array.from({ length: 10 }, (_, index) => makeRun({ tenant_id: index % 2 === 0 ? 'a' : 'b' }));
  for (const run of runs)
    await store.runs.accept(ctx, run, { sealed_parameters: Uint8Array.of(9), parent_span_id: null });
  const going = runs.filter((_, index) => index % 3 !== 0);
  for (const run of runs) if (!going.includes(run)) await store.runs.finish(ctx, ended(run), []);
  const seen: RunRecord[] = [];
  for (let after: string | null = null; ; ) {
    const page = await store.runs.unfinished(ctx, after, 4);
    if (page.length === 0) break;
    seen.push(...page.map(({ run }) => run));
    expect(page.every(({ internals }) => internals.sealed_parameters?.[0] === 9)).toBe(true);
    after = page.at(-1)?.run.id ?? null;
  }
  expect(seen).toEqual(going);
});

it('refuses a call whose context has ended, but writes down how a run ended', async () => {
  const { store } = await openStore();
  const run = makeRun();
  await store.runs.accept(ctx, run, NO_INTERNALS);
  const late = newContext({ tenantId: 'default', userId: 'dev', deadline: performance.now() - 1 });
  await expect(store.runs.get(late, 'default', run.id)).rejects.toMatchObject({ name: 'TimeoutError' });
  const reason = new Error('cancelled by Alex');
  const cancelled = newContext({ tenantId: 'default', userId: 'dev', signal: AbortSignal.abort(reason) });
  await expect(store.runs.accept(cancelled, makeRun(), NO_INTERNALS)).rejects.toBe(reason);
  await store.runs.appendLogs(cancelled, run.id, makeLogs(1, 1));
  expect(await store.runs.finish(late, ended(run, { status: 'timed_out' }), [])).toBe(true);
});

it('deletes old ended runs in small batches and never one that goes on', async () => {
  const { store } = await openStore();
  const runs = Array.from({ length: 20 }, (_, index) =>
    makeRun({ created_at: new Date(Date.UTC(2026, 0, 1 + index)).toISOString() }),
  );
  for (const run of runs) await store.runs.accept(ctx, run, NO_INTERNALS);
  await store.runs.appendLogs(ctx, runs[1]?.id ?? '', makeLogs(1, 3));
  for (const run of runs.slice(1)) await store.runs.finish(ctx, ended(run), []);
  expect(await store.runs.prune(ctx, { limit: 100 })).toEqual({ runs: 0, keys: 0 });
  expect(await store.runs.prune(ctx, { before: runs[6]?.created_at ?? '', limit: 3 })).toEqual({ runs: 3, keys: 0 });
  expect(await store.runs.prune(ctx, { before: runs[6]?.created_at ?? '', limit: 3 })).toEqual({ runs: 2, keys: 0 });
  expect(await store.runs.prune(ctx, { before: runs[6]?.created_at ?? '', limit: 3 })).toEqual({ runs: 0, keys: 0 });
  expect(await store.runs.prune(ctx, { keep: 5, limit: 100 })).toEqual({ runs: 9, keys: 0 });
  const left = (await store.runs.list(ctx, 'default', { limit: 200 })).items.map(({ id }) => id);
  expect(left).toEqual([...runs.slice(15).toReversed(), runs[0]].map((run) => run?.id));
  expect(await store.runs.logs(ctx, 'default', runs[1]?.id ?? '', 0, 10)).toEqual([]);
});
