import { pageOfSchema, ref } from '../openapi/schemas.ts';
import { PAGE_QUERY, pageReply, pageRequest } from '../paging.ts';
import { empty, json } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';
import { keyView } from '../views.ts';

const TAG = 'Keys';

export const keyRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/api/keys',
    act: 'keys:write',
    query: {},
    body: 'json',
    audit: {
      action: 'key.create',
      describe(_call, { id, name, role, tenant_id, user_id, expires_at }) {
        const details = {
          name: name ?? null,
          role: role ?? null,
          user_id: user_id ?? null,
          expires_at: expires_at ?? null,
        };
        return { target: id as string, tenantId: tenant_id as string, details };
      },
    },
    doc: {
      id: 'createKey',
      tag: TAG,
      summary: 'Make an API key',
      description: 'The answer shows the key once; only its hash is stored.',
      request: ref('KeyBody'),
      answers: { 201: ['The key.', ref('NewKey')] },
      problems: [],
    },
    async handle({ auth }, call) {
      const { record, key } = await auth.keys.create(call.ctx, call.principal, call.body ?? null);
      return json(201, { ...keyView(record), key });
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/keys',
    act: 'keys:read',
    query: PAGE_QUERY,
    body: 'none',
    doc: {
      id: 'listKeys',
      tag: TAG,
      summary: "List the tenant's API keys",
      answers: { 200: ['A page.', pageOfSchema(ref('Key'))] },
      problems: [],
    },
    async handle({ auth }, call) {
      return pageReply(await auth.keys.list(call.ctx, pageRequest(call.query, 'keys')), 'keys', keyView);
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/api/keys/:id',
    act: 'keys:write',
    query: {},
    body: 'none',
    audit: { action: 'key.revoke', describe: (call) => ({ target: call.params['id'] as string }) },
    doc: {
      id: 'deleteKey',
      tag: TAG,
      summary: 'Revoke an API key, at once',
      answers: { 204: ['Revoked.', null] },
      problems: [404],
    },
    async handle({ auth }, call) {
      await auth.keys.delete(call.ctx, call.params['id'] as string);
      return empty(204);
    },
  }),
];
