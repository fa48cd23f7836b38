import { pageOfSchema, ref } from '../openapi/schemas.ts';
import { PAGE_QUERY, pageReply, pageRequest } from '../paging.ts';
import { empty, json } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';

const TAG = 'Credentials';

export const credentialRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/api/credentials',
    act: 'credentials:write',
    query: {},
    body: 'json',
    audit: {
      action: 'credential.create',
      describe(_call, { id, name, plugin }) {
        return { target: id as string, details: { name: name ?? null, plugin: plugin ?? null } };
      },
    },
    doc: {
      id: 'createCredential',
      tag: TAG,
      summary: 'Store a credential',
      description:
        'Its values are encrypted and never shown again. The shape `{ service_name, api_key }` is taken too.',
      request: ref('CredentialBody'),
      answers: { 201: ['The credential, without its values.', ref('Credential')] },
      problems: [409],
    },
    async handle({ credentials }, call) {
      const made = await credentials.create(call.ctx, call.body ?? null);
      return json(201, credentials.view(made));
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/credentials',
    act: 'credentials:read',
    query: PAGE_QUERY,
    body: 'none',
    doc: {
      id: 'listCredentials',
      tag: TAG,
      summary: 'List credentials',
      answers: { 200: ['A page.', pageOfSchema(ref('Credential'))] },
      problems: [],
    },
    async handle({ credentials }, call) {
      return pageReply(
        await credentials.list(call.ctx, pageRequest(call.query, 'credentials')),
        'credentials',
        (credential) => credentials.view(credential),
      );
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/api/credentials/:id',
    act: 'credentials:write',
    query: {},
    body: 'none',
    audit: { action: 'credential.delete', describe: (call) => ({ target: call.params['id'] as string }) },
    doc: {
      id: 'deleteCredential',
      tag: TAG,
      summary: 'Delete a credential',
      answers: { 204: ['Deleted.', null] },
      problems: [404],
    },
    async handle({ credentials }, call) {
      await credentials.delete(call.ctx, call.params['id'] as string);
      return empty(204);
    },
  }),
];
