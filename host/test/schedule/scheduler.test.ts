import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GoflowError } from '../../src/core/errors.ts';
import { createLogging } from '../../src/core/log.ts';
import type { WorkflowRecord } from '../../src/core/records.ts';
import type { TriggerRequest } from '../../src/run/types.ts';
import { TimeHeap } from '../../src/schedule/heap.ts';
import { MAX_CAUGHT_UP, missedTicks } from '../../src/schedule/missed.ts';
import { createScheduler, type Scheduler } from '../../src/schedule/scheduler.ts';
import { checkCron, tickAfter } from '../../src/workflow/cron.ts';
import type { ScheduleDefinition } from '../../src/workflow/definition.ts';
import { RUN, WORKFLOW } from '../http/harness.ts';

const NOON = Date.parse('2026-03-02T12:00:00.000Z');
const HOURLY: ScheduleDefinition = { cron: '0 * * * *', timezone: 'UTC', catch_up: 'none' };

function scheduled(
  id: string,
  schedule: ScheduleDefinition | null,
  more: Partial<WorkflowRecord> = {},
): WorkflowRecord {
  return {
    ...WORKFLOW,
    id,
    definition: schedule === null ? {} : { schedule: { ...schedule } },
    updated_at: new Date(NOON).toISOString(),
    ...more,
  };
}

/** A scheduler whose workflows, runs and stored ticks are a few lines. */
function newScheduler(stored: ReadonlyArray<{ workflow: WorkflowRecord; last: number | null }> = []) {
  const workflows = new Map(stored.map(({ workflow }) => [workflow.id, workflow]));
  const last = new Map<string, number>();
  const fired: Array<{ id: string; tick: string; key: string | undefined; late: number; request: TriggerRequest }> = [];
  let refuse: (() => GoflowError | null) | null = null;
  const scheduler = createScheduler({
    schedules: {
      list: async (_ctx, after, limit) => {
        const items = stored.slice(after, after + limit);
        return { items, next: after + limit < stored.length ? after + limit : null };
      },
      setLast: async (_ctx, _tenant, id, tick) => void last.set(id, Math.max(tick, last.get(id) ?? 0)),
    },
    workflows: { get: async (_ctx, id) => workflows.get(id) ?? Promise.reject(new GoflowError('NOT_FOUND', 'gone')) },
    runs: {
      trigger: async (_ctx, workflow, request) => {
        const error = refuse?.() ?? null;
        if (error !== null) throw error;
        const tick = request.trigger.scheduled_for as string;
        fired.push({
          id: workflow.id,
          tick,
          key: request.idempotencyKey,
          late: Date.now() - Date.parse(tick),
          request,
        });
        return { run: RUN, ended: false, replayed: false };
      },
    },
    log: createLogging({ level: 'fatal', levels: {}, write: () => {} }).for('scheduler'),
  });
  open.push(scheduler);
  return {
    scheduler,
    fired,
    last,
    change: (workflow: WorkflowRecord) => {
      workflows.set(workflow.id, workflow);
      scheduler.changed(workflow);
    },
    refuseWith: (make: (() => GoflowError | null) | null) => (refuse = make),
    ticks: () => fired.map(({ tick }) => tick.slice(11, 19)),
  };
}

const open: Scheduler[] = [];
beforeEach(() => void vi.useFakeTimers({ now: NOON, toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(async () => {
  const closing = open.splice(0).map((scheduler) => scheduler.close());
  if (vi.isFakeTimers()) await vi.runAllTimersAsync();
  await Promise.all(closing);
  vi.useRealTimers();
});

describe('a schedule', () => {
  test('fires at each tick, once, with its parameters and the tick in key and trigger', async () => {
    const { change, fired, ticks, last } = newScheduler();
    change(scheduled('wf_a', { ...HOURLY, parameters: { plan: 'pro' } }));
    await vi.advanceTimersByTimeAsync(3 * 3_600_000 + 1000);
    expect(ticks()).toEqual(['13:00:00', '14:00:00', '15:00:00']);
    expect(fired[0]).toMatchObject({ id: 'wf_a', key: 'schedule 2026-03-02T13:00:00.000Z' });
    expect(fired[0]?.request).toMatchObject({
      parameters: { plan: 'pro' },
      trigger: { type: 'schedule', scheduled_for: '2026-03-02T13:00:00.000Z' },
      waitMs: 0,
    });
    expect(last.get('wf_a')).toBe(NOON + 3 * 3_600_000);
  });

  test('of a workflow that is switched off, deleted or has lost it does not fire', async () => {
    const { change, scheduler, fired } = newScheduler();
    for (const id of ['off', 'gone', 'plain']) change(scheduled(id, HOURLY));
    change(scheduled('off', HOURLY, { is_active: false }));
    change(scheduled('plain', null));
    scheduler.removed('default', 'gone');
    expect(scheduler.size).toBe(0);
    await vi.advanceTimersByTimeAsync(7_200_000);
    expect(fired).toEqual([]);
  });

  test('that was changed fires at its new times only', async () => {
    const { change, ticks } = newScheduler();
    change(scheduled('wf_a', HOURLY));
    await vi.advanceTimersByTimeAsync(600_000);
    change(scheduled('wf_a', { ...HOURLY, cron: '30 * * * *' }));
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(ticks()).toEqual(['12:30:00']);
  });

  test('keeps to its time when other parts of the workflow change', async () => {
    const { change, ticks } = newScheduler();
    change(scheduled('wf_a', { ...HOURLY, cron: '* * * * *' }));
    for (let i = 0; i < 6; i++) {
      change(scheduled('wf_a', { ...HOURLY, cron: '* * * * *' }, { version: i + 2 }));
      await vi.advanceTimersByTimeAsync(30_000);
    }
    expect(ticks()).toEqual(['12:01:00', '12:02:00', '12:03:00']);
  });

  test('that the host cannot take for a moment is tried again, and stays one run of that tick', async () => {
    const { change, refuseWith, ticks } = newScheduler();
    change(scheduled('wf_a', HOURLY));
    let refusals = 3;
    refuseWith(() => (refusals-- > 0 ? new GoflowError('OVERLOADED', 'full') : null));
    await vi.advanceTimersByTimeAsync(3_600_000 + 10_000);
    expect(ticks()).toEqual(['13:00:00']);
  });

  test('that cannot be fired does not keep others, or its next tick, from firing', async () => {
    const { change, refuseWith, fired, ticks } = newScheduler();
    change(scheduled('wf_a', HOURLY));
    refuseWith(() => new GoflowError('VALIDATION_FAILED', 'no'));
    await vi.advanceTimersByTimeAsync(3_600_000);
    refuseWith(null);
    change(scheduled('wf_b', HOURLY));
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(fired.map(({ id }) => id).sort()).toEqual(['wf_a', 'wf_b']);
    expect(new Set(ticks())).toEqual(new Set(['14:00:00']));
  });
});

describe('after a time without a host', () => {
  const before = NOON - 5 * 3_600_000 - 60_000;
  test.each([
    ['none', []],
    ['one', ['12:00:00']],
    ['all', ['07:00:00', '08:00:00', '09:00:00', '10:00:00', '11:00:00', '12:00:00']],
  ] as const)('catch_up "%s" makes up for %j', async (policy, expected) => {
    const { scheduler, ticks } = newScheduler([
      { workflow: scheduled('wf_a', { ...HOURLY, catch_up: policy }), last: before },
    ]);
    await scheduler.start();
    await vi.advanceTimersByTimeAsync(1000);
    expect(ticks()).toEqual([...expected]);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(ticks()).toEqual([...expected, '13:00:00']);
  });

  test('a tick that was fired is not fired again, and one of which nothing is known counts from the workflow', async () => {
    const all = { ...HOURLY, catch_up: 'all' as const };
    const { scheduler, fired } = newScheduler([
      { workflow: scheduled('wf_done', all), last: NOON },
      { workflow: scheduled('wf_new', all, { updated_at: new Date(NOON - 1000).toISOString() }), last: null },
    ]);
    await scheduler.start();
    await vi.advanceTimersByTimeAsync(1000);
    expect(fired.map(({ id }) => id)).toEqual(['wf_new']);
  });

  test('a second that comes every second for a year costs a hundred runs and no search through the year', () => {
    const everySecond = { cron: '* * * * * *', timezone: 'UTC', catch_up: 'all' as const };
    const missed = missedTicks(everySecond, NOON - 365 * 86_400_000, NOON);
    expect(missed).toHaveLength(MAX_CAUGHT_UP);
    expect([missed[0], missed.at(-1)]).toEqual([NOON - 99_000, NOON]);
  });

  test('what was changed while schedules are read is not overwritten by what was read', async () => {
    const { scheduler, change, ticks } = newScheduler([{ workflow: scheduled('wf_a', HOURLY), last: NOON }]);
    const starting = scheduler.start();
    change(scheduled('wf_a', { ...HOURLY, cron: '30 * * * *' }));
    await starting;
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(ticks()).toEqual(['12:30:00']);
  });
});

describe('ten thousand schedules', () => {
  test('of the same second are each fired once, none early, and the next time again', async () => {
    vi.useRealTimers();
    const cron = '*/2 * * * * *';
    const stored = Array.from({ length: 10_000 }, (_, i) => ({
      workflow: scheduled(`wf_${i}`, { cron, timezone: 'UTC', catch_up: 'none' }),
      last: Date.now(),
    }));
    const { scheduler, fired } = newScheduler(stored);
    await scheduler.start();
    await vi.waitUntil(() => fired.length >= 20_000, { timeout: 20_000, interval: 20 });
    const keys = fired.map(({ id, tick }) => `${id} ${tick}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(Math.min(...fired.map(({ late }) => late))).toBeGreaterThanOrEqual(0);
    // Within a second of their second on an idle machine; a busy one is given some more.
    const late = fired.map((one) => one.late).sort((a, b) => a - b);
    expect(late[10_000]).toBeLessThan(2000);
  }, 30_000);
});

describe('patterns', () => {
  test('are read in their time zone, through the change to summer time', () => {
    const berlin = (after: string) =>
      new Date(tickAfter('30 2 * * *', 'Europe/Berlin', Date.parse(after)) as number).toISOString();
    expect(berlin('2026-03-27T12:00:00Z')).toBe('2026-03-28T01:30:00.000Z');
    // 02:30 does not exist on that day: once, all the same.
    expect(berlin('2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(berlin('2026-03-29T12:00:00Z')).toBe('2026-03-30T00:30:00.000Z');
  });

  test.each([
    ['* * * * *', 'UTC', null],
    ['*/5 9-17 * * 1-5', 'America/New_York', null],
    ['61 * * * *', 'UTC', 'cron'],
    ['often', 'UTC', 'cron'],
    ['0 0 30 2 *', 'UTC', 'cron'],
    ['* * * * *', 'Mars/Olympus', 'timezone'],
  ])('%s in %s: wrong is %s', (cron, timezone, field) => {
    expect(checkCron(cron, timezone)?.field ?? null).toBe(field);
  });

  test('wait in the order of their times', () => {
    const heap = new TimeHeap<number>();
    const times = Array.from({ length: 1000 }, () => Math.floor(Math.random() * 500));
    for (const at of times) heap.add(at, at);
    expect(heap.takeDue(-1)).toBeNull();
    const taken = Array.from({ length: 1000 }, () => heap.takeDue(500)?.at);
    expect(taken).toEqual(times.toSorted((a, b) => a - b));
    expect([heap.size, heap.first]).toEqual([0, null]);
  });
});
