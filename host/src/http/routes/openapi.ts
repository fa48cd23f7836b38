import type { Context } from '../../core/context.ts';
import type { WorkflowRecord } from '../../core/records.ts';
import { openApiDocument } from '../openapi/document.ts';
import { json } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';
import type { HttpServices } from '../services.ts';

/** Workflows that get an operation of their own, newest pages first; more would make a document that no tool opens. */
const MAX_WORKFLOWS = 1000;

export function openApiRoutes(others: readonly Route[]): readonly Route[] {
  const route: Route = defineRoute({
    method: 'GET',
    path: '/api/openapi.json',
    act: 'workflows:read',
    query: {},
    body: 'none',
    doc: {
      id: 'openapi',
      tag: 'Operations',
      summary: 'This document',
      description: 'OpenAPI 3.1: every route, and one typed trigger operation per workflow of the tenant.',
      answers: { 200: ['The document.', { type: 'object' }] },
      problems: [],
    },
    async handle(services, call) {
      const workflows = await firstWorkflows(services, call.ctx);
      return json(200, openApiDocument([...others, route], workflows, services.config.version ?? '0.1.0'));
    },
  });
  return [route];
}

async function firstWorkflows({ workflows }: HttpServices, ctx: Context): Promise<readonly WorkflowRecord[]> {
  const found: WorkflowRecord[] = [];
  let cursor: string | null = null;
  do {
    const page = await workflows.list(ctx, cursor === null ? { limit: 200 } : { limit: 200, cursor });
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null && found.length < MAX_WORKFLOWS);
  return found;
}
