import type { JsonObject } from '@goflow/plugin-sdk/contract';
import { pageOfSchema, ref } from '../openapi/schemas.ts';
import { PAGE_QUERY, pageReply, pageRequest } from '../paging.ts';
import { empty, json } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { AuditedAct, Call, Route } from '../route.ts';
import { isObject, objectBody, parametersOf } from './input.ts';

const TAG = 'Workflows';
const body = (call: Call) => call.body ?? null;

export const workflowRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/api/workflows',
    act: 'workflows:write',
    query: {},
    body: 'json',
    audit: { action: 'workflow.create', describe: describe },
    doc: {
      id: 'createWorkflow',
      tag: TAG,
      summary: 'Create a workflow',
      description: 'Everything that can be checked before a run is checked here.',
      request: ref('WorkflowBody'),
      answers: { 201: ['The workflow.', ref('Workflow')] },
      problems: [409],
    },
    async handle({ workflows }, call) {
      const workflow = await workflows.create(call.ctx, body(call));
      call.about({ workflowId: workflow.id });
      return json(201, workflows.view(workflow), 'Location', locationOf(workflow.id));
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/workflows',
    act: 'workflows:read',
    query: PAGE_QUERY,
    body: 'none',
    doc: {
      id: 'listWorkflows',
      tag: TAG,
      summary: 'List workflows',
      answers: { 200: ['A page.', pageOfSchema(ref('Workflow'))] },
      problems: [],
    },
    async handle({ workflows }, call) {
      const page = await workflows.list(call.ctx, pageRequest(call.query, 'workflows'));
      return pageReply(page, 'workflows', (workflow) => workflows.view(workflow));
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/workflows/:id',
    act: 'workflows:read',
    query: {},
    body: 'none',
    doc: {
      id: 'getWorkflow',
      tag: TAG,
      summary: 'Read a workflow',
      answers: { 200: ['The workflow.', ref('Workflow')] },
      problems: [404],
    },
    async handle({ workflows }, call) {
      const workflow = await workflows.get(call.ctx, workflowId(call));
      return json(200, workflows.view(workflow));
    },
  }),
  defineRoute({
    method: 'PUT',
    path: '/api/workflows/:id',
    act: 'workflows:write',
    query: {},
    body: 'json',
    audit: {
      action: 'workflow.update',
      describe(call, answer, reply) {
        const created = reply.kind === 'json' && reply.status === 201;
        return { ...describe(call, answer), ...(created ? { action: 'workflow.create' } : undefined) };
      },
    },
    doc: {
      id: 'putWorkflow',
      tag: TAG,
      summary: 'Replace a workflow, or create it under this id',
      description:
        'Makes a new version; runs keep the version that they began with. A free id must match `^[A-Za-z0-9_-]{1,64}$`.',
      request: ref('WorkflowBody'),
      answers: { 200: ['The new version.', ref('Workflow')], 201: ['Created.', ref('Workflow')] },
      problems: [409],
    },
    async handle({ workflows }, call) {
      const { workflow, created } = await workflows.put(call.ctx, workflowId(call), body(call));
      return created
        ? json(201, workflows.view(workflow), 'Location', locationOf(workflow.id))
        : json(200, workflows.view(workflow));
    },
  }),
  defineRoute({
    method: 'PATCH',
    path: '/api/workflows/:id',
    act: 'workflows:write',
    query: {},
    body: 'json',
    audit: { action: 'workflow.update', describe: describe },
    doc: {
      id: 'patchWorkflow',
      tag: TAG,
      summary: 'Change parts of a workflow',
      description: 'JSON Merge Patch (RFC 7396): a member that is null is removed. Makes a new version.',
      request: { type: 'object', additionalProperties: true },
      answers: { 200: ['The new version.', ref('Workflow')] },
      problems: [404, 409],
    },
    async handle({ workflows }, call) {
      return json(200, workflows.view(await workflows.patch(call.ctx, workflowId(call), body(call))));
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/api/workflows/:id',
    act: 'workflows:write',
    query: {},
    body: 'none',
    audit: { action: 'workflow.delete', describe: (call) => ({ target: call.params['id'] as string }) },
    doc: {
      id: 'deleteWorkflow',
      tag: TAG,
      summary: 'Delete a workflow',
      description: 'Its runs stay readable.',
      answers: { 204: ['Deleted.', null] },
      problems: [404],
    },
    async handle({ workflows }, call) {
      await workflows.delete(call.ctx, workflowId(call));
      return empty(204);
    },
  }),
  defineRoute({
    method: 'PUT',
    path: '/api/workflows/:id/toggle',
    act: 'workflows:write',
    query: {},
    body: 'none',
    audit: { action: 'workflow.toggle', describe: describe },
    doc: {
      id: 'toggleWorkflow',
      tag: TAG,
      summary: 'Switch a workflow on or off',
      description: 'Flips `is_active`. A workflow that is not active answers triggers with 409.',
      answers: { 200: ['The workflow.', ref('Workflow')] },
      problems: [404],
    },
    async handle({ workflows }, call) {
      return json(200, workflows.view(await workflows.toggle(call.ctx, workflowId(call))));
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/workflows/:id/dry-run',
    act: 'workflows:dry-run',
    query: {},
    body: 'json-or-empty',
    doc: {
      id: 'dryRunWorkflow',
      tag: TAG,
      summary: 'Say what a trigger would call',
      description: 'Validates and renders; calls and stores nothing.',
      request: ref('TriggerBody'),
      answers: { 200: ['What would be called.', { type: 'object', additionalProperties: true }] },
      problems: [404],
    },
    async handle({ workflows, runs }, call) {
      const workflow = await workflows.get(call.ctx, workflowId(call));
      return json(200, await runs.dryRun(call.ctx, workflow, parametersOf(objectBody(call.body, ['parameters']))));
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/workflows/dry-run',
    act: 'workflows:dry-run',
    query: {},
    body: 'json',
    doc: {
      id: 'dryRunDraft',
      tag: TAG,
      summary: 'Say what a workflow that is not stored would call',
      description: 'Checks it as saving would, then validates and renders; calls and stores nothing.',
      request: ref('DryRunBody'),
      answers: { 200: ['What would be called.', { type: 'object', additionalProperties: true }] },
      problems: [],
    },
    async handle({ workflows, runs }, call) {
      const { workflow, parameters } = draftOf(call);
      return json(200, await runs.dryRun(call.ctx, await workflows.draft(call.ctx, workflow), parameters));
    },
  }),
];

function describe(_call: Call, { id, name, version, is_active }: JsonObject): AuditedAct {
  return {
    target: id as string,
    details: { name: name ?? null, version: version ?? null, is_active: is_active ?? null },
  };
}

/** `{ workflow, parameters }`, or a workflow alone. */
function draftOf(call: Call): { readonly workflow: JsonObject; readonly parameters: JsonObject } {
  if (!isObject(call.body) || !Object.hasOwn(call.body, 'workflow'))
    return { workflow: body(call) as JsonObject, parameters: {} };
  const both = objectBody(call.body, ['workflow', 'parameters']);
  return { workflow: both['workflow'] as JsonObject, parameters: parametersOf(both) };
}

/** The id of the path; the access log names it from here on. */
export function workflowId(call: Call): string {
  const id = call.params['id'] as string;
  call.about({ workflowId: id });
  return id;
}

function locationOf(id: string): string {
  return `/api/workflows/${encodeURIComponent(id)}`;
}
