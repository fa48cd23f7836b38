import { pageOfSchema, ref } from '../openapi/schemas.ts';
import { PAGE_QUERY, pageOf, pageReply, pageRequest } from '../paging.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';
import { actionView } from '../views.ts';

export const actionRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/actions',
    act: 'actions:read',
    query: PAGE_QUERY,
    body: 'none',
    doc: {
      id: 'listActions',
      tag: 'Plugins',
      summary: 'List the actions of every enabled plugin',
      description: 'With their input and output JSON Schemas.',
      answers: { 200: ['A page.', pageOfSchema(ref('Action'))] },
      problems: [],
    },
    handle({ plugins }, call) {
      const actions = plugins.actions(call.principal.tenantId);
      const page = pageOf(
        actions,
        ({ plugin, id }) => `${plugin.manifest.name}/${id}`,
        pageRequest(call.query, 'actions'),
      );
      return pageReply(page, 'actions', actionView);
    },
  }),
];
