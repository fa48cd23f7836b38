import { ConnectorError, defineActionFor, defineConnector } from '@goflow/plugin-sdk';

// What an admin stores once for this connector. `writeOnly` marks a secret: ctx.credential holds a placeholder for it, which becomes
// the secret on its way to a granted host and nowhere else.
const credential = {
  type: 'object',
  required: ['host', 'api_key'],
  properties: {
    host: { type: 'string', description: 'Host of the service, as "api.example.com".' },
    api_key: { type: 'string', description: 'API key of the service.', writeOnly: true },
  },
  additionalProperties: false,
} as const;

const defineAction = defineActionFor(credential);

export default defineConnector({
  name: '__NAME__',
  version: '0.1.0',
  title: '__TITLE__',
  description: 'Calls a service with an API key. Put your own actions here.',
  // The host that the credential names, by https, and nothing else.
  permissions: { net: ['{{credential.host}}'] },
  credential,
  actions: {
    notify: defineAction({
      title: 'Notify',
      description: 'Sends a message to a channel.',
      input: {
        type: 'object',
        required: ['channel', 'text'],
        properties: {
          channel: { type: 'string', description: 'Where it goes.', minLength: 1 },
          text: { type: 'string', description: 'What it says.', minLength: 1, maxLength: 4000 },
        },
        additionalProperties: false,
      },
      output: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
      async run(ctx, input) {
        const response = await ctx.fetch(`https://${ctx.credential.host}/messages`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${ctx.credential.api_key}`,
            'content-type': 'application/json',
            // The same for every attempt of this step: a retry does not send the message twice.
            'idempotency-key': ctx.idempotencyKey,
          },
          body: JSON.stringify(input),
          signal: ctx.signal,
        });
        if (response.status === 401) throw new ConnectorError('KEY_REFUSED', 'the service refused the API key');
        if (!response.ok) {
          throw new ConnectorError('SERVICE_FAILED', `the service answered ${response.status}`, {
            retryable: response.status === 429 || response.status >= 500,
          });
        }
        const { id } = (await response.json()) as { id: string };
        ctx.log.info('sent', { id });
        return { id };
      },
    }),
  },
});
