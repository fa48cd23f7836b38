import { DOCS_PAGE, DOCS_POLICY } from '../docs/page.ts';
import { text } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';

export const docsRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/docs',
    act: 'public',
    query: 'any',
    body: 'none',
    doc: {
      id: 'docs',
      tag: 'Operations',
      summary: 'The API as a page',
      description:
        'One page without anything from elsewhere. It asks for /api/openapi.json, with a key where one is needed.',
      answers: { 200: ['The page.', { type: 'string' }, 'text/html'] },
      problems: [],
    },
    handle: () => text(200, 'text/html; charset=utf-8', DOCS_PAGE, 'Content-Security-Policy', DOCS_POLICY),
  }),
];
