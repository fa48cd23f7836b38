import { validationError } from '../../core/errors.ts';
import type { TriggerRequest } from '../../run/types.ts';
import { ref } from '../openapi/schemas.ts';
import { json } from '../reply.ts';
import type { Reply } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { Call, Route } from '../route.ts';
import { acceptedView } from '../views.ts';
import { objectBody, parametersOf } from './input.ts';
import { workflowId } from './workflows.ts';

/** Longest `wait`, in seconds. */
export const MAX_WAIT_S = 60;

export const triggerRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/api/workflows/:id/trigger',
    act: 'runs:trigger',
    query: {
      wait: {
        kind: 'number',
        min: 0,
        max: MAX_WAIT_S,
        description: 'Seconds to wait for the end of the run; fractions allowed.',
      },
      on_disconnect: {
        kind: 'enum',
        values: ['continue', 'cancel'],
        description: 'What becomes of the run when a waiting client goes away.',
      },
    },
    body: 'json-or-empty',
    doc: {
      id: 'triggerWorkflow',
      tag: 'Workflows',
      summary: 'Run a workflow',
      description: 'Answers once the run is durable, or, with `wait`, once it has ended.',
      request: ref('TriggerBody'),
      answers: {
        200: ['The run has ended within the time that was waited for, whatever its status.', ref('Run')],
        202: ['The run is accepted and will end, also after a crash.', ref('Accepted')],
      },
      problems: [404, 409, 422, 429, 503, 507],
      headers: {
        'Idempotency-Key': 'The same key, route and body within 24 hours give the first answer again.',
        Prefer: '`wait=SECONDS`, as the query parameter.',
      },
    },
    handle: trigger,
  }),
];

async function trigger(services: Parameters<Route['handle']>[0], call: Call): Promise<Reply> {
  const parameters = parametersOf(objectBody(call.body, ['parameters']));
  const idempotencyKey = idempotencyKeyOf(call.req.headers['idempotency-key']);
  const asked = call.query.number('wait');
  const preferred = asked === undefined ? preferredWait(call.req.headers['prefer']) : null;
  const waitMs = (asked ?? preferred ?? 0) * 1000;
  const workflow = await services.workflows.get(call.ctx, workflowId(call));
  const request: TriggerRequest = {
    parameters,
    trigger: { type: 'api' },
    waitMs,
    ...(idempotencyKey === undefined ? undefined : { idempotencyKey, body: call.body ?? {} }),
    // Without a wait nobody stays to be disconnected.
    ...(waitMs > 0
      ? { clientGone: call.clientGone(), cancelOnDisconnect: call.query.text('on_disconnect') === 'cancel' }
      : undefined),
  };
  const { run, ended, replayed } = await services.runs.trigger(call.ctx, workflow, request);
  call.about({ runId: run.id });
  const headers = replayed ? ['Idempotency-Replayed', 'true'] : [];
  if (preferred !== null) headers.push('Preference-Applied', `wait=${preferred}`);
  // Also where this request would not have waited: it is answered as the first one with its Idempotency-Key was.
  if (ended) return json(200, run, ...headers);
  return json(202, acceptedView(run), ...headers, 'Location', `/api/runs/${run.id}`);
}

/** 1 to 255 visible ASCII characters; throws VALIDATION_FAILED otherwise. */
function idempotencyKeyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = typeof header === 'string' ? header : '';
  let visible = key.length >= 1 && key.length <= 255;
  for (let i = 0; visible && i < key.length; i++) {
    const code = key.charCodeAt(i);
    visible = code >= 0x21 && code <= 0x7e;
  }
  if (visible) return key;
  const message = 'must have 1 to 255 visible ASCII characters';
  throw validationError([{ pointer: '/headers/Idempotency-Key', keyword: 'pattern', message }], 'the request');
}

const PREFER_WAIT = /(?:^|[,;])\s*wait\s*=\s*"?([0-9]{1,9}(?:\.[0-9]{1,9})?)"?\s*(?=$|[,;])/i;

/** Seconds of `Prefer: wait=…` (RFC 7240), at most the longest; null where there is none. A preference is never an error. */
function preferredWait(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string' || header.length > 1000) return null;
  const match = PREFER_WAIT.exec(header);
  return match === null ? null : Math.min(MAX_WAIT_S, Number(match[1]));
}
