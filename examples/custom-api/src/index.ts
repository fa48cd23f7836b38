import { ConnectorError, defineActionFor, defineConnector } from '@goflow/plugin-sdk';

// What an admin stores once. The key is never seen here: ctx.credential.api_key is a placeholder, which the host replaces on the way
// to the granted host, and to no other.
const credential = {
  type: 'object',
  required: ['host', 'port', 'api_key'],
  properties: {
    host: { type: 'string', description: 'Where the ticket desk runs.' },
    port: { type: 'integer', minimum: 1, maximum: 65_535 },
    api_key: { type: 'string', minLength: 1, writeOnly: true },
  },
  additionalProperties: false,
} as const;

export default defineConnector({
  name: 'custom-api',
  version: '1.0.0',
  title: 'Ticket desk',
  description: 'Opens tickets at a ticket desk.',
  credential,
  permissions: { net: ['{{credential.host}}:{{credential.port}}'] },
  actions: {
    create_ticket: defineActionFor(credential)({
      title: 'Create a ticket',
      description: 'Opens a ticket and gives its number.',
      input: {
        type: 'object',
        required: ['title'],
        properties: {
          title: { type: 'string', minLength: 1, maxLength: 200 },
          priority: { enum: ['low', 'normal', 'high'], default: 'normal' },
        },
        additionalProperties: false,
      },
      output: {
        type: 'object',
        required: ['ticket_id', 'url'],
        properties: { ticket_id: { type: 'integer' }, url: { type: 'string' } },
        additionalProperties: false,
      },
      async run(ctx, { title, priority = 'normal' }) {
        const { host, port, api_key } = ctx.credential;
        const base = `http://${host}:${port}`;
        const response = await ctx.fetch(`${base}/tickets`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'x-api-key': api_key,
            // The same for every attempt of this step: the desk opens one ticket, however often it is asked.
            'idempotency-key': ctx.idempotencyKey,
          },
          body: JSON.stringify({ title, priority }),
          signal: ctx.signal,
        });
        if (!response.ok) {
          throw new ConnectorError(
            'TICKET_REFUSED',
            `the ticket desk answered ${response.status}: ${await response.text()}`,
            {
              retryable: response.status === 429 || response.status >= 500,
              details: { status: response.status },
            },
          );
        }
        const { id } = (await response.json()) as { id: number };
        ctx.log.info('ticket opened', { id, priority });
        return { ticket_id: id, url: `${base}/tickets/${id}` };
      },
    }),
  },
});
