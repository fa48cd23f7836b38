import { newContext, systemContext, type Context } from '../core/context.ts';
import { GoflowError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { WorkflowRecord } from '../core/records.ts';
import type { Runs } from '../run/types.ts';
import type { ScheduleStore } from '../store/store.ts';
import { tickAfter } from '../workflow/cron.ts';
import type { ScheduleDefinition, WorkflowDefinition } from '../workflow/definition.ts';
import type { Workflows } from '../workflow/types.ts';
import { TimeHeap, type Waiting } from './heap.ts';
import { missedTicks } from './missed.ts';

export interface SchedulerServices {
  readonly schedules: ScheduleStore;
  readonly workflows: Pick<Workflows, 'get'>;
  readonly runs: Pick<Runs, 'trigger'>;
  readonly log: Logger;
}

/** Triggers workflows at their times: each tick once, also across restarts. */
export interface Scheduler {
  /** Reads the stored schedules and makes up for what was missed, as each of them says. Resolves when all are waiting for their next tick. */
  start(): Promise<void>;
  /** To be told of every workflow that was made, changed, switched on or off. */
  changed(workflow: WorkflowRecord): void;
  removed(tenantId: string, workflowId: string): void;
  /** How many wait for a tick. */
  readonly size: number;
  /** Fires nothing any more; resolves when what was being fired is told. */
  close(): Promise<void>;
}

interface Entry {
  readonly tenantId: string;
  readonly workflowId: string;
  readonly schedule: ScheduleDefinition;
}

const PAGE = 500;
/** The clock is looked at this often at least: it may be set, and a machine may sleep. */
const MAX_SLEEP_MS = 30_000;
/** A tick that is later than this was missed rather than delayed. */
const MAX_DELAY_MS = 60_000;
/** Next ticks that are looked for in one turn of the event loop. */
const SLICE = 200;
/** Triggers that are under way at once. */
const MAX_FIRING = 512;
/** How long a tick that the host cannot take is tried again, and how soon. */
const RETRY_FOR_MS = 60_000;
const RETRY_MS = 1000;

/** What keeps a host from taking a run for the moment. */
const PASSING = new Set(['OVERLOADED', 'STORE_UNAVAILABLE', 'STORE_FULL', 'IDEMPOTENCY_IN_PROGRESS']);

export function createScheduler(services: SchedulerServices): Scheduler {
  const { schedules, log } = services;
  const entries = new Map<string, Entry>();
  const heap = new TimeHeap<Entry>();
  const due: Array<{ readonly entry: Entry; readonly tick: number }> = [];
  const firing = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  function arm(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (closed || heap.first === null) return;
    timer = setTimeout(wake, Math.min(MAX_SLEEP_MS, Math.max(0, heap.first - Date.now())));
    timer.unref();
  }

  function wake(): void {
    const now = Date.now();
    const woken: Array<Waiting<Entry>> = [];
    for (let item = heap.takeDue(now); item !== null; item = heap.takeDue(now)) {
      if (!isCurrent(item.value)) continue;
      if (now - item.at <= MAX_DELAY_MS) due.push({ entry: item.value, tick: item.at });
      else for (const tick of missedTicks(item.value.schedule, item.at - 1, now)) due.push({ entry: item.value, tick });
      woken.push(item);
    }
    pump();
    waitAgain(woken, now, 0);
  }

  /** Finding thousands of next ticks takes a while: runs that are being fired go on in between. */
  function waitAgain(woken: ReadonlyArray<Waiting<Entry>>, now: number, from: number): void {
    for (const { at, value } of woken.slice(from, from + SLICE)) wait(value, now - at > MAX_DELAY_MS ? now : at);
    if (from + SLICE < woken.length) setImmediate(() => waitAgain(woken, now, from + SLICE));
    else arm();
  }

  function isCurrent(entry: Entry): boolean {
    return entries.get(keyOf(entry.tenantId, entry.workflowId)) === entry;
  }

  /** Puts an entry in the heap for its first tick after a moment. */
  function wait(entry: Entry, after: number): void {
    const tick = tickAfter(entry.schedule.cron, entry.schedule.timezone, after);
    if (tick !== null) heap.add(tick, entry);
  }

  function pump(): void {
    while (firing.size < MAX_FIRING) {
      const next = due.shift();
      if (next === undefined) return;
      const work = fire(next.entry, next.tick).finally(() => {
        firing.delete(work);
        pump();
      });
      firing.add(work);
    }
  }

  /** Never rejects. The run and the key of its tick are written in one transaction: whatever happens then, the tick has been fired. */
  async function fire(entry: Entry, tick: number): Promise<void> {
    const { tenantId, workflowId, schedule } = entry;
    const ctx = newContext({ tenantId, userId: 'schedule' });
    const at = new Date(tick).toISOString();
    const until = Date.now() + RETRY_FOR_MS;
    for (;;) {
      if (!isCurrent(entry)) return;
      try {
        const workflow = await services.workflows.get(ctx, workflowId);
        const { run } = await services.runs.trigger(ctx, workflow, {
          parameters: schedule.parameters ?? {},
          trigger: { type: 'schedule', scheduled_for: at },
          // A space is in no key that a client can send.
          idempotencyKey: `schedule ${at}`,
          body: {},
          waitMs: 0,
        });
        log.info({ ...ctx, workflowId, runId: run.id }, 'schedule fired', {
          scheduled_for: at,
          delay_ms: Date.now() - tick,
        });
        await schedules.setLast(systemContext(), tenantId, workflowId, tick);
        return;
      } catch (error) {
        const code = error instanceof GoflowError ? error.code : 'INTERNAL';
        if (closed) return;
        if (!PASSING.has(code) || Date.now() > until) {
          // Switched off or deleted between two ticks: nothing is wrong.
          if (code === 'WORKFLOW_INACTIVE' || code === 'NOT_FOUND') entries.delete(keyOf(tenantId, workflowId));
          else tellFailure(ctx, workflowId, at, code, error);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  function tellFailure(ctx: Context, workflowId: string, at: string, code: string, error: unknown): void {
    log.log(code === 'SHUTTING_DOWN' ? 'debug' : 'error', { ...ctx, workflowId }, 'schedule could not be fired', {
      scheduled_for: at,
      'error.code': code,
      'error.message': messageOf(error),
    });
  }

  /** Takes up a schedule. `last`: until when its ticks have been seen to. */
  function takeUp(workflow: WorkflowRecord, schedule: ScheduleDefinition, last: number): void {
    const entry: Entry = { tenantId: workflow.tenant_id, workflowId: workflow.id, schedule };
    entries.set(keyOf(entry.tenantId, entry.workflowId), entry);
    const now = Date.now();
    for (const tick of missedTicks(schedule, last, now)) due.push({ entry, tick });
    wait(entry, now);
  }

  function changed(workflow: WorkflowRecord): void {
    const key = keyOf(workflow.tenant_id, workflow.id);
    const schedule = scheduleOf(workflow);
    const before = entries.get(key);
    if (schedule === null || closed) {
      entries.delete(key);
      return;
    }
    if (before !== undefined && JSON.stringify(before.schedule) === JSON.stringify(schedule)) return;
    const now = Date.now();
    // From now on: what it missed while it was off or another one is nothing to make up for.
    void schedules.setLast(systemContext(), workflow.tenant_id, workflow.id, now).catch((error: unknown) =>
      log.warn(null, 'the begin of a schedule could not be stored', {
        workflow_id: workflow.id,
        'error.message': messageOf(error),
      }),
    );
    takeUp(workflow, schedule, now);
    arm();
  }

  async function start(): Promise<void> {
    const ctx = systemContext();
    for (let after: number | null = 0; after !== null; ) {
      const page = await schedules.list(ctx, after, PAGE);
      if (closed) return;
      for (const { workflow, last } of page.items) {
        const schedule = scheduleOf(workflow);
        // Changed meanwhile: what `changed` was told is newer.
        if (schedule === null || entries.has(keyOf(workflow.tenant_id, workflow.id))) continue;
        takeUp(workflow, schedule, last ?? Date.parse(workflow.updated_at));
      }
      after = page.next;
      arm();
      pump();
    }
    if (entries.size > 0) log.info(null, 'schedules loaded', { schedules: entries.size });
  }

  return {
    start,
    changed,
    removed: (tenantId, workflowId) => void entries.delete(keyOf(tenantId, workflowId)),
    get size() {
      return entries.size;
    },
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      due.length = 0;
      await Promise.all(firing);
    },
  };
}

function scheduleOf(workflow: WorkflowRecord): ScheduleDefinition | null {
  if (!workflow.is_active) return null;
  return (workflow.definition as unknown as WorkflowDefinition).schedule ?? null;
}

function keyOf(tenantId: string, workflowId: string): string {
  return `${tenantId}\n${workflowId}`;
}
