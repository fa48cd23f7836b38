import { defineConnector } from '@goflow/plugin-sdk';
import { floods } from './floods.ts';
import { innocent } from './innocent.ts';
import { leftovers } from './leftovers.ts';
import { memoryBombs } from './memory-bombs.ts';
import { neverEnds } from './never-ends.ts';
import { results } from './results.ts';
import { throwing } from './throws.ts';
import { writes } from './writes.ts';

/** Every attack that GoFlow is held to, an action each, beside innocent actions that share their threads. */
export default defineConnector({
  name: 'hostile',
  version: '1.0.0',
  title: 'Hostile',
  description: 'Tries to harm whatever runs it.',
  credential: {
    type: 'object',
    properties: { host: { type: 'string' }, port: { type: 'integer' }, web: { type: 'integer' } },
  },
  permissions: {
    net: ['{{credential.host}}:{{credential.web}}'],
    connect: ['{{credential.host}}:{{credential.port}}'],
    storage: true,
  },
  limits: { memory_mb: 64, concurrency: 16, timeout_ms: 60_000 },
  actions: {
    ...memoryBombs,
    ...neverEnds,
    ...floods,
    ...results,
    ...throwing,
    ...leftovers,
    ...writes,
    ...innocent,
  },
});
