import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import { LEAST_ROLE } from '../../auth/permissions.ts';
import type { WorkflowRecord } from '../../core/records.ts';
import { PROBLEM_TYPE } from '../middleware/problem.ts';
import type { QueryParameter } from '../query.ts';
import type { Route } from '../route.ts';
import { ref, SCHEMAS } from './schemas.ts';
import { workflowOperation } from './workflow-operations.ts';

const PROBLEM_MEDIA = PROBLEM_TYPE.slice(0, PROBLEM_TYPE.indexOf(';'));

const PROBLEM_TEXTS: Readonly<Record<number, string>> = {
  400: 'The request is not valid; `errors` lists every problem with its pointer.',
  401: 'The key or token is missing, unknown, revoked or expired; of a signed webhook, the signature does not fit.',
  403: "The key's role may not do this, or the origin is foreign.",
  404: 'There is no such thing, or it belongs to another tenant.',
  409: 'The state of the thing does not allow it.',
  413: 'The body is too large.',
  415: 'The body is not of a type that is read here.',
  422: 'The idempotency key was used with another body.',
  429: 'Too much at once, or too often; `Retry-After` says when to try again.',
  503: 'The host is shutting down, or its store does not answer.',
  507: 'The disk is full.',
};

/** The OpenAPI 3.1 document: the route table, and a typed trigger operation for each of the workflows. */
export function openApiDocument(
  routes: readonly Route[],
  workflows: readonly WorkflowRecord[],
  version: string,
): JsonObject {
  const paths: Record<string, Record<string, JsonValue>> = {};
  for (const route of routes) (paths[openApiPath(route.path)] ??= {})[route.method.toLowerCase()] = operation(route);
  const trigger = routes.find((route) => route.doc.id === 'triggerWorkflow');
  for (const workflow of trigger === undefined ? [] : workflows) {
    const path = `/api/workflows/${encodeURIComponent(workflow.id)}/trigger`;
    paths[path] = {
      post: workflowOperation(
        workflow,
        problems(trigger as Route),
        parameters(trigger as Route).filter(({ in: place }) => place !== 'path'),
      ),
    };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'GoFlow',
      version,
      summary: 'Workflows that run connectors in a sandbox.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    servers: [{ url: '/' }],
    security: [{ key: [] }],
    tags: ['Your workflows', ...new Set(routes.map((route) => route.doc.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description:
            'An API key, or a token of the OpenID Connect issuer that is configured. Not needed while the host runs open on a loopback address.',
        },
      },
    },
  };
}

/** `/api/runs/:id` as OpenAPI writes it. */
export function openApiPath(path: string): string {
  return path
    .split('/')
    .map((segment) => (segment.startsWith(':') ? `{${segment.slice(1)}}` : segment))
    .join('/');
}

function operation(route: Route): JsonObject {
  const { doc, act, body } = route;
  const responses: Record<string, JsonValue> = {};
  for (const [status, [description, schema, type]] of Object.entries(doc.answers)) {
    responses[status] =
      schema === null ? { description } : { description, content: { [type ?? 'application/json']: { schema } } };
  }
  return {
    operationId: doc.id,
    tags: [doc.tag],
    summary: doc.summary,
    ...(doc.description === undefined ? undefined : { description: doc.description }),
    ...(act === 'public' ? { security: [] } : { 'x-role': LEAST_ROLE[act] }),
    parameters: parameters(route),
    ...(doc.request === undefined
      ? undefined
      : {
          requestBody: { required: body !== 'json-or-empty', content: { 'application/json': { schema: doc.request } } },
        }),
    responses: { ...responses, ...problems(route) },
  };
}

function parameters(route: Route): JsonObject[] {
  const path = route.path
    .split('/')
    .filter((segment) => segment.startsWith(':'))
    .map((segment) => ({ name: segment.slice(1), in: 'path', required: true, schema: { type: 'string' } }));
  const query = Object.entries(route.query === 'any' ? {} : route.query).map(([name, parameter]) => ({
    name,
    in: 'query',
    description: parameter.description,
    schema: schemaOf(parameter),
  }));
  const headers = Object.entries(route.doc.headers ?? {}).map(([name, description]) => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  }));
  return [...path, ...query, ...headers];
}

function schemaOf(parameter: QueryParameter): JsonObject {
  switch (parameter.kind) {
    case 'integer':
    case 'number': {
      const { kind: type, min: minimum, max: maximum, default: value } = parameter;
      return { type, minimum, maximum, ...(value === undefined ? undefined : { default: value }) };
    }
    case 'enum':
      return { type: 'string', enum: parameter.values };
    case 'time':
      return { type: 'string', format: 'date-time' };
    case 'text':
    default:
      return { type: 'string', minLength: 1, maxLength: parameter.maxLength };
  }
}

function problems(route: Route): JsonObject {
  const statuses = new Set(route.doc.problems);
  if (route.query !== 'any' || route.body !== 'none') statuses.add(400);
  if (route.act !== 'public') statuses.add(401).add(403).add(429);
  if (route.body !== 'none') statuses.add(413).add(415);
  const answers: Record<string, JsonValue> = {};
  for (const status of [...statuses].sort((a, b) => a - b)) {
    answers[status] = {
      description: PROBLEM_TEXTS[status] ?? 'A problem.',
      content: { [PROBLEM_MEDIA]: { schema: ref('Problem') } },
    };
  }
  answers['default'] = { description: 'Any other problem.', content: { [PROBLEM_MEDIA]: { schema: ref('Problem') } } };
  return answers;
}
