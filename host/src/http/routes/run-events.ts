import { validationError } from '../../core/errors.ts';
import type { RunRecord } from '../../core/records.ts';
import type { RunEvent } from '../../run/types.ts';
import { empty, WRITTEN } from '../reply.ts';
import type { Reply } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { Call, Route } from '../route.ts';
import type { HttpServices } from '../services.ts';
import { streamEvents } from '../sse.ts';
import type { StreamEvent } from '../sse.ts';
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
        'Server-Sent Events `state` (the run), `log` (a log line) and `progress`, until the run has ended. 204: the run has ended and `Last-Event-ID` is its last event; clients then stop asking.',
      answers: {
        200: ['The events.', { type: 'string' }, 'text/event-stream'],
        204: ['Everything has been seen.', null],
      },
      problems: [404],
      headers: { 'Last-Event-ID': 'The id of the last event that was seen; the stream goes on after it.' },
    },
    handle: events,
  }),
];

async function events({ runs }: HttpServices, call: Call): Promise<Reply> {
  const id = runId(call);
  const resumed = lastEventId(call.req.headers['last-event-id']);
  // Throws NOT_FOUND while there is still a status to answer with.
  const run = await runs.get(call.ctx, id);
  if (resumed.atEnd && hasEnded(run)) return empty(204);
  const { res } = call;
  res.writeHead(200, call.headers(['Content-Type', 'text/event-stream; charset=utf-8', 'X-Accel-Buffering', 'no']));
  if (call.req.method === 'HEAD') {
    res.end();
    return WRITTEN;
  }
  res.write('retry: 1000\n\n');
  const signal = AbortSignal.any([call.clientGone(), call.closing]);
  await streamEvents(res, endLast(runs.events({ ...call.ctx, signal }, id, resumed.after), resumed.after), signal);
  return WRITTEN;
}

/**
 * The state in which the run ended is always the last event, and its id says so (`17.end`): who comes back with that id has seen all, who comes back
 * with `17` has not. A source that gives the state of an ended run before its log lines is put in order here.
 */
async function* endLast(source: AsyncIterable<RunEvent>, after: number): AsyncGenerator<StreamEvent> {
  let last = after;
  let end: RunEvent | null = null;
  for await (const event of source) {
    last = Math.max(last, event.id);
    if (event.type === 'state' && hasEnded(event.data)) end = event;
    else yield { id: String(event.id), type: event.type, data: event.data };
  }
  if (end !== null) yield { id: `${last}${END}`, type: end.type, data: end.data };
}

const END = '.end';
const EVENT_ID = /^([0-9]{1,15})(\.end)?$/;

function hasEnded({ status }: RunRecord): boolean {
  return status !== 'queued' && status !== 'running';
}

function lastEventId(header: string | string[] | undefined): { readonly after: number; readonly atEnd: boolean } {
  if (header === undefined || header === '') return { after: 0, atEnd: false };
  const match = typeof header === 'string' ? EVENT_ID.exec(header) : null;
  if (match !== null) return { after: Number(match[1]), atEnd: match[2] !== undefined };
  const message = 'must be the id of an event of this run';
  throw validationError([{ pointer: '/headers/Last-Event-ID', keyword: 'pattern', message }], 'the request');
}
