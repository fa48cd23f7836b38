import { pageOfSchema, ref } from '../openapi/schemas.ts';
import { PAGE_QUERY, pageReply, pageRequest } from '../paging.ts';
import type { QuerySpec } from '../query.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';
import { auditView } from '../views.ts';

const QUERY = {
  ...PAGE_QUERY,
  since: { kind: 'time', description: 'Only acts of this time or later.' },
  until: { kind: 'time', description: 'Only acts before this time.' },
  actor: { kind: 'text', maxLength: 256, description: 'Only acts of this user, or of the key with this id.' },
  action: { kind: 'text', maxLength: 64, description: 'Only acts of this kind, `key.create` for one.' },
} as const satisfies QuerySpec;

/** There is no route that writes: records come from the acts themselves. */
export const auditRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/audit',
    act: 'audit:read',
    query: QUERY,
    body: 'none',
    doc: {
      id: 'listAudit',
      tag: 'Audit',
      summary: 'Read the audit trail',
      description:
        'Every administrative act of the tenant, and every attempt of one, newest first. Records cannot be changed.',
      answers: { 200: ['A page.', pageOfSchema(ref('AuditRecord'))] },
      problems: [],
    },
    async handle({ store }, call) {
      const { query } = call;
      const given = (name: 'since' | 'until' | 'actor' | 'action') => {
        const value = query.text(name);
        return value === undefined ? {} : { [name]: value };
      };
      const filter = {
        ...pageRequest(query, 'audit'),
        ...given('since'),
        ...given('until'),
        ...given('actor'),
        ...given('action'),
      };
      return pageReply(await store.audit.list(call.ctx, call.principal.tenantId, filter), 'audit', auditView);
    },
  }),
];
