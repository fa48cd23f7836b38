import { ConnectorError, defineAction, defineConnector } from '@goflow/plugin-sdk';

const LONGEST_DELAY_MS = 3_600_000;

export default defineConnector({
  name: 'testing',
  version: '1.0.0',
  title: 'Testing',
  description: 'Answers what it is told, after a delay if need be: for trying out workflows, retries and deadlines.',
  // It does nothing but wait.
  limits: { concurrency: 1024, timeout_ms: LONGEST_DELAY_MS },
  actions: {
    testing: defineAction({
      title: 'Answer',
      description:
        'Gives back `response`. A `status` of 400 or more fails as a service that answers so would: 429 and 5xx can be retried.',
      input: {
        type: 'object',
        properties: {
          response: { description: 'Any JSON; null when left out.' },
          status: { type: 'integer', minimum: 100, maximum: 599, default: 200 },
          delay_ms: { type: 'number', minimum: 0, maximum: LONGEST_DELAY_MS, default: 0 },
        },
        additionalProperties: false,
      },
      async run(ctx, { response = null, status = 200, delay_ms = 0 }) {
        if (delay_ms > 0) await ctx.sleep(delay_ms);
        if (status < 400) return response;
        throw new ConnectorError(`HTTP_${status}`, `the service answered with status ${status}, as it was told`, {
          retryable: status === 429 || status >= 500,
          details: { status, response },
        });
      },
    }),
  },
});
