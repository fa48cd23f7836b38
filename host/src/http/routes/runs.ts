import { RUN_STATUSES } from '../../core/records.ts';
import type { RunStatus } from '../../core/records.ts';
import type { RunFilter } from '../../store/store.ts';
import { pageOfSchema, ref } from '../openapi/schemas.ts';
import { badCursor, PAGE_QUERY, pageReply, pageRequest } from '../paging.ts';
import type { QuerySpec } from '../query.ts';
import { json } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { Call, Route } from '../route.ts';
import { acceptedView } from '../views.ts';
import { workflowId } from './workflows.ts';

const TAG = 'Runs';

const FILTERS = {
  ...PAGE_QUERY,
  status: { kind: 'enum', values: RUN_STATUSES, description: 'Only runs with this status.' },
  since: { kind: 'time', description: 'Only runs created at this time or later.' },
  until: { kind: 'time', description: 'Only runs created before this time.' },
} as const satisfies QuerySpec;

export const runRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/runs',
    act: 'runs:read',
    query: { ...FILTERS, workflow_id: { kind: 'text', maxLength: 64, description: 'Only runs of this workflow.' } },
    body: 'none',
    doc: {
      id: 'listRuns',
      tag: TAG,
      summary: 'List runs',
      answers: { 200: ['A page, newest first.', pageOfSchema(ref('Run'))] },
      problems: [],
    },
    async handle({ runs }, call) {
      return pageReply(await runs.list(call.ctx, filterOf(call, call.query.text('workflow_id'))), 'runs', (run) => run);
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/workflows/:id/runs',
    act: 'runs:read',
    query: FILTERS,
    body: 'none',
    doc: {
      id: 'listWorkflowRuns',
      tag: TAG,
      summary: 'List the runs of a workflow',
      answers: { 200: ['A page, newest first.', pageOfSchema(ref('Run'))] },
      problems: [404],
    },
    async handle({ workflows, runs }, call) {
      const workflow = await workflows.get(call.ctx, workflowId(call));
      return pageReply(await runs.list(call.ctx, filterOf(call, workflow.id)), 'runs', (run) => run);
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/runs/:id',
    act: 'runs:read',
    query: {},
    body: 'none',
    doc: { id: 'getRun', tag: TAG, summary: 'Read a run', answers: { 200: ['The run.', ref('Run')] }, problems: [404] },
    async handle({ runs }, call) {
      return json(200, await runs.get(call.ctx, runId(call)));
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/runs/:id/trace',
    act: 'runs:read',
    query: {},
    body: 'none',
    doc: {
      id: 'getRunTrace',
      tag: TAG,
      summary: 'Read where the time of a run went',
      description:
        'Its stretches of time in the order in which they began, and what each kind of them took of the deadline. For a run that goes on: as it stands.',
      answers: { 200: ['The timeline.', ref('RunTrace')] },
      problems: [404],
    },
    async handle({ runs }, call) {
      return json(200, await runs.timeline(call.ctx, runId(call)));
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/runs/:id/cancel',
    act: 'runs:cancel',
    query: {},
    body: 'none',
    doc: {
      id: 'cancelRun',
      tag: TAG,
      summary: 'Cancel a run',
      answers: { 202: ['It is being ended.', ref('Accepted')] },
      problems: [404, 409],
    },
    async handle({ runs }, call) {
      const run = await runs.cancel(call.ctx, runId(call));
      return json(202, acceptedView(run), 'Location', `/api/runs/${run.id}`);
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/runs/:id/replay',
    act: 'runs:replay',
    query: {},
    body: 'none',
    doc: {
      id: 'replayRun',
      tag: TAG,
      summary: 'Run again with the same version and parameters',
      answers: { 202: ['The new run.', ref('Accepted')] },
      problems: [404, 409, 429, 503, 507],
    },
    async handle({ runs }, call) {
      const run = await runs.replay(call.ctx, runId(call));
      return json(202, acceptedView(run), 'Location', `/api/runs/${run.id}`);
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/runs/:id/logs',
    act: 'runs:read',
    query: PAGE_QUERY,
    body: 'none',
    doc: {
      id: 'listRunLogs',
      tag: TAG,
      summary: 'Read the log lines of a run',
      answers: { 200: ['A page, oldest first.', pageOfSchema(ref('RunLog'))] },
      problems: [404],
    },
    async handle({ runs }, call) {
      const { limit, cursor = '0' } = pageRequest(call.query, 'logs');
      const after = Number(cursor);
      if (!Number.isSafeInteger(after) || after < 0) throw badCursor();
      // One more than asked for tells whether there is another page.
      const lines = await runs.logs(call.ctx, runId(call), { after, limit: limit + 1 });
      const items = lines.slice(0, limit);
      const next_cursor = lines.length > limit ? String(items.at(-1)?.seq ?? after) : null;
      return pageReply({ items, next_cursor }, 'logs', (line) => line);
    },
  }),
];

function filterOf(call: Call, workflow: string | undefined): RunFilter {
  const status = call.query.text('status') as RunStatus | undefined;
  const since = call.query.text('since');
  const until = call.query.text('until');
  return {
    ...pageRequest(call.query, 'runs'),
    ...(status === undefined ? undefined : { status }),
    ...(workflow === undefined ? undefined : { workflow_id: workflow }),
    ...(since === undefined ? undefined : { since }),
    ...(until === undefined ? undefined : { until }),
  };
}

export function runId(call: Call): string {
  const id = call.params['id'] as string;
  call.about({ runId: id });
  return id;
}
