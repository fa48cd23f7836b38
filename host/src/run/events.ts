import type { Context } from '../core/context.ts';
import type { RunRecord } from '../core/records.ts';
import type { Store } from '../store/store.ts';
import type { ActiveRun } from './active-run.ts';
import type { RunEvent } from './types.ts';

const LOG_PAGE = 200;
/** Events kept for a reader that is slower than the run; older progress and state events give way, log lines are read again from the store. */
const MAX_PENDING = 2000;

interface EventSource {
  readonly store: Store;
  readonly active: ReadonlyMap<string, ActiveRun>;
  get(ctx: Context, id: string): Promise<RunRecord>;
}

/**
 * What happens to a run, from after `lastEventId` until it ends or `ctx.signal` fires: log lines carry their sequence number as id, a state the
 * number of the last line before it, so that a reader who comes back misses no line and sees none twice.
 */
export async function* runEvents(
  source: EventSource,
  ctx: Context,
  id: string,
  lastEventId: number,
): AsyncGenerator<RunEvent> {
  const record = await source.get(ctx, id);
  const run = source.active.get(id);
  const pending: RunEvent[] = [];
  let wake: (() => void) | null = null;
  let overflowed = false;
  // Listening begins before the stored lines are read, so that no line falls between the two.
  const stop = run?.listen((event) => {
    if (pending.length < MAX_PENDING || event.type === 'state') pending.push(event);
    else overflowed = true;
    wake?.();
  });
  const onAbort = () => wake?.();
  ctx.signal?.addEventListener('abort', onAbort);
  try {
    let last = lastEventId;
    yield { id: last, type: 'state', data: run?.snapshot() ?? record };
    for (const line of await storedLines(source, ctx, id, last)) {
      last = line.id;
      yield line;
    }
    for (const line of run?.unsavedLogs() ?? []) {
      if (line.seq <= last) continue;
      last = line.seq;
      yield { id: line.seq, type: 'log', data: line };
    }
    if (run === undefined) return;
    for (;;) {
      const event = pending.shift();
      if (event === undefined) {
        if (ctx.signal?.aborted === true) return;
        if (run.isSettled) return;
        await new Promise<void>((resolve) => (wake = resolve));
        wake = null;
        continue;
      }
      if (event.type === 'log') {
        if (event.id <= last) continue;
        last = event.id;
      }
      const ended = event.type === 'state' && event.data.finished_at !== null;
      if (ended && overflowed) for (const line of await storedLines(source, ctx, id, last)) yield line;
      yield event;
      if (ended) return;
    }
  } finally {
    stop?.();
    ctx.signal?.removeEventListener('abort', onAbort);
  }
}

async function storedLines(source: EventSource, ctx: Context, id: string, after: number): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for (let last = after; ; ) {
    const lines = await source.store.runs.logs(ctx, ctx.tenantId, id, last, LOG_PAGE);
    for (const line of lines) events.push({ id: line.seq, type: 'log', data: line });
    last = lines.at(-1)?.seq ?? last;
    if (lines.length < LOG_PAGE) return events;
  }
}
