import { defineAction, defineConnector } from '@goflow/plugin-sdk';
import { evaluate } from './evaluate.ts';

export default defineConnector({
  name: 'transform',
  version: '1.0.0',
  title: 'Transform',
  description: 'Transforms data with JSONata, a query language for JSON (https://jsonata.org).',
  limits: { memory_mb: 128, timeout_ms: 10_000 },
  actions: {
    transform: defineAction({
      title: 'Evaluate a JSONata expression',
      description: 'The value of `expression` over `input`; null where it has none.',
      input: {
        type: 'object',
        required: ['expression'],
        properties: {
          expression: {
            type: 'string',
            minLength: 1,
            maxLength: 100_000,
            description: 'For example: { "total": $sum(items.price) }',
          },
          input: { description: 'Any JSON.' },
        },
        additionalProperties: false,
      },
      run: (_ctx, { expression, input }) => evaluate(expression, input),
    }),
  },
});
