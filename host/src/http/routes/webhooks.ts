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
import { isObject } from './input.ts';
import { workflowId } from './workflows.ts';

/** Headers that prove who somebody is do not go into the run's record. */
const PRIVATE_HEADERS = new Set(['authorization', 'proxy-authorization', 'cookie', 'x-api-key']);

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
        'Public: whoever knows the id may call it. Templates see the JSON body as `trigger.body`, and `trigger.headers` and `trigger.query`; fields of the body fill the parameters of the same name.',
      request: { description: 'Any JSON value.' },
      answers: { 200: ['The run is accepted.', ref('Triggered')] },
      problems: [404, 409, 429, 503, 507],
    },
    async handle({ store, runs }, call) {
      const workflow = await store.workflows.findAnyTenant(call.ctx, workflowId(call));
      if (workflow === null) throw new GoflowError('NOT_FOUND', 'there is no such webhook');
      const ctx: Context = { ...call.ctx, tenantId: workflow.tenant_id, userId: 'webhook' };
      const body = call.body ?? {};
      const { run } = await runs.trigger(ctx, workflow, {
        parameters: parametersFrom(workflow, body),
        trigger: {
          type: 'webhook',
          body: withoutSecrets(workflow, body),
          headers: headersOf(call),
          query: queryOf(call),
        },
        waitMs: 0,
      });
      call.about({ runId: run.id });
      return json(200, {
        status: 'triggered',
        message: `Workflow "${workflow.name}" has been triggered`,
        run_id: run.id,
        trace_id: run.trace_id,
      });
    },
  }),
];

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
