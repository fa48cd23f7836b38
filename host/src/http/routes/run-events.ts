import { validationError } from '../../core/errors.ts';
import { ENDED_STATUSES } from '../../core/records.ts';
import type { RunStatus } from '../../core/records.ts';
import type { RunEvent } from '../../run/types.ts';
import { empty, WRITTEN } from '../reply.ts';
import type { Reply } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { Call, Route } from '../route.ts';
import type { HttpServices } from '../services.ts';
import { streamEvents } from '../sse.ts';
import { runId } from './runs.ts';

export const runEventRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/runs/:id/events',
    act: 'runs:read',
    query: {},
    body: 'none',
    doc: {
      id: 'streamRunEvents',
      tag: 'Runs',
      summary: 'Follow a run',
      description:
        'Server-Sent Events `state` (the run), `log` (a log line) and `progress`, until the run has ended. 204: the run has ended and there is nothing after `Last-Event-ID`; clients then stop asking.',
      answers: {
        200: ['The events.', { type: 'string' }, 'text/event-stream'],
        204: ['Nothing more will come.', null],
      },
      problems: [404],
      headers: { 'Last-Event-ID': 'The id of the last event that was seen; the stream goes on after it.' },
    },
    handle: events,
  }),
];

async function events({ runs }: HttpServices, call: Call): Promise<Reply> {
  const id = runId(call);
  const resumed = call.req.headers['last-event-id'];
  const after = lastEventId(resumed);
  // Throws NOT_FOUND while there is still a status to answer with.
  const run = await runs.get(call.ctx, id);
  const signal = AbortSignal.any([call.clientGone(), call.closing]);
  const source = runs.events({ ...call.ctx, signal }, id, after)[Symbol.asyncIterator]();
  let first: IteratorResult<RunEvent> | null = null;
  if (resumed !== undefined && ENDED_STATUSES.includes(run.status as Exclude<RunStatus, 'queued' | 'running'>)) {
    first = await source.next();
    if (first.done === true) return empty(204);
  }
  const { res } = call;
  res.writeHead(200, call.headers(['Content-Type', 'text/event-stream; charset=utf-8', 'X-Accel-Buffering', 'no']));
  if (call.req.method === 'HEAD') {
    await source.return?.();
    res.end();
    return WRITTEN;
  }
  res.write('retry: 1000\n\n');
  await streamEvents(res, resume(first, source), signal);
  return WRITTEN;
}

async function* resume(
  first: IteratorResult<RunEvent> | null,
  rest: AsyncIterator<RunEvent>,
): AsyncGenerator<RunEvent> {
  if (first !== null && first.done !== true) yield first.value;
  yield* { [Symbol.asyncIterator]: () => rest };
}

function lastEventId(header: string | string[] | undefined): number {
  if (header === undefined || header === '') return 0;
  const id = typeof header === 'string' && header.length <= 15 && /^[0-9]+$/.test(header) ? Number(header) : Number.NaN;
  if (Number.isSafeInteger(id)) return id;
  throw validationError(
    [{ pointer: '/headers/Last-Event-ID', keyword: 'type', message: 'must be the id of an event of this run' }],
    'the request',
  );
}
