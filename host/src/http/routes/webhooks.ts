import { MASK } from '@goflow/plugin-sdk/contract';
import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Context } from '../../core/context.ts';
import { GoflowError } from '../../core/errors.ts';
import type { WorkflowRecord } from '../../core/records.ts';
import { ref } from '../openapi/schemas.ts';
import { json } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { Call, Route } from '../route.ts';
import { declaredParameters } from '../openapi/workflow-operations.ts';
import type { HttpServices } from '../services.ts';
import { verifySignature } from '../webhook-signature.ts';
import { isObject } from './input.ts';

/** Headers that prove who somebody is do not go into the run's record. */
const PRIVATE_HEADERS = new Set(['authorization', 'proxy-authorization', 'cookie', 'x-api-key', 'webhook-signature']);

export const webhookRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/api/webhooks/:id',
    act: 'public',
    query: 'any',
    body: 'json-or-empty',
    doc: {
      id: 'triggerWebhook',
      tag: 'Webhooks',
      summary: 'Run a workflow from outside',
      description:
        'Public: whoever knows the id (`webhook_id` of the workflow) may call it, unless the workflow has a `webhook.secret`: then messages are signed as Standard Webhooks has it. Templates see the JSON body as `trigger.body`, and `trigger.headers` and `trigger.query`; fields of the body fill the parameters of the same name.',
      request: { description: 'Any JSON value.' },
      headers: {
        'webhook-id': 'Signed webhooks: id of the message, the same when it is sent again.',
        'webhook-timestamp': 'Signed webhooks: seconds since 1970.',
        'webhook-signature': 'Signed webhooks: `v1,` and the base64 of the HMAC-SHA-256 of `id.timestamp.body`.',
      },
      answers: { 200: ['The run is accepted.', ref('Triggered')] },
      problems: [401, 404, 409, 422, 429, 503, 507],
    },
    async handle(services, call) {
      const { runs } = services;
      const { workflow, messageId } = await letIn(services, call);
      const ctx: Context = { ...call.ctx, tenantId: workflow.tenant_id, userId: 'webhook' };
      const body = call.body ?? {};
      const { run, replayed } = await runs.trigger(ctx, workflow, {
        parameters: parametersFrom(workflow, body),
        trigger: {
          type: 'webhook',
          body: withoutSecrets(workflow, body),
          headers: headersOf(call),
          query: queryOf(call),
        },
        waitMs: 0,
        // The space sets it apart from every key that a trigger can name.
        ...(messageId === null ? undefined : { idempotencyKey: `webhook-id ${messageId}`, body }),
      });
      call.about({ runId: run.id });
      return json(
        200,
        {
          status: 'triggered',
          message: `Workflow "${workflow.name}" has been triggered`,
          run_id: run.id,
          trace_id: run.trace_id,
        },
        ...(replayed ? ['Idempotency-Replayed', 'true'] : []),
      );
    },
  }),
];

/**
 * The workflow that the webhook id names, when the message may start it. Ids and signatures that do not fit count as guesses of the address.
 * Throws NOT_FOUND, UNAUTHENTICATED, RATE_LIMITED.
 */
async function letIn(
  { workflows, auth, rateLimits }: HttpServices,
  call: Call,
): Promise<{ readonly workflow: WorkflowRecord; readonly messageId: string | null }> {
  const webhookId = call.params['id'] as string;
  const address = call.req.socket.remoteAddress;
  auth.guesses.check(address, webhookId);
  try {
    const workflow = await workflows.findWebhook(call.ctx, webhookId, (await auth.mode(call.ctx)) === 'open');
    if (workflow === null) throw new GoflowError('NOT_FOUND', 'there is no such webhook');
    call.about({ workflowId: workflow.id });
    const key = await workflows.webhookKey(workflow);
    const messageId = key === null ? null : verifySignature(key, call.req.headers, call.bytes ?? NO_BYTES);
    rateLimits?.takeTenant(workflow.tenant_id);
    auth.guesses.succeeded(address, webhookId);
    return { workflow, messageId };
  } catch (error) {
    if (isGuess(error)) auth.guesses.failed(address);
    throw error;
  }
}

function isGuess(error: unknown): boolean {
  return error instanceof GoflowError && (error.code === 'NOT_FOUND' || error.code === 'UNAUTHENTICATED');
}

const NO_BYTES = new Uint8Array();

/** Own fields of the body whose names are those of declared parameters. */
function parametersFrom(workflow: WorkflowRecord, body: JsonValue): JsonObject {
  const parameters: Record<string, JsonValue> = {};
  if (!isObject(body)) return parameters;
  for (const { name } of declaredParameters(workflow)) {
    if (typeof name === 'string' && Object.hasOwn(body, name)) setOwn(parameters, name, body[name] as JsonValue);
  }
  return parameters;
}

/** The body as the run's record shows it: a field that fills a secret parameter is seen by templates as `params.NAME` only. */
function withoutSecrets(workflow: WorkflowRecord, body: JsonValue): JsonValue {
  if (!isObject(body)) return body;
  const secret = declaredParameters(workflow).filter((parameter) => parameter['secret'] === true);
  const names = secret.map(({ name }) => name).filter((name) => typeof name === 'string' && Object.hasOwn(body, name));
  if (names.length === 0) return body;
  const shown: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(body))
    setOwn(shown, name, names.includes(name) ? MASK : (value as JsonValue));
  return shown;
}

function headersOf(call: Call): JsonObject {
  const headers: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(call.req.headers)) {
    if (value !== undefined && !PRIVATE_HEADERS.has(name))
      setOwn(headers, name, typeof value === 'string' ? value : value.join(', '));
  }
  return headers;
}

/** A name that is given several times has a list of its values. */
function queryOf(call: Call): JsonObject {
  const query: Record<string, JsonValue> = {};
  const search = new URLSearchParams(call.search);
  for (const name of new Set(search.keys())) {
    const values = search.getAll(name);
    setOwn(query, name, values.length === 1 ? (values[0] as string) : values);
  }
  return query;
}

/** Names come from outside: `__proto__` becomes a member like any other. */
function setOwn(target: Record<string, JsonValue>, name: string, value: JsonValue): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}
