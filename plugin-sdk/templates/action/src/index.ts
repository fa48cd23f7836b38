import { ConnectorError, defineAction, defineConnector } from '@goflow/plugin-sdk';

export default defineConnector({
  name: '__NAME__',
  version: '0.1.0',
  title: '__TITLE__',
  description: 'Says hello. Put your own actions here.',
  // Hosts that ctx.fetch and ctx.connect may reach, for example: permissions: { net: ['api.example.com'] },
  // Values that an admin stores once, for example:
  // credential: { type: 'object', required: ['api_key'], properties: { api_key: { type: 'string', writeOnly: true } } },
  actions: {
    greet: defineAction({
      title: 'Greet',
      description: 'Makes a greeting.',
      input: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string', description: 'Who is greeted.', maxLength: 200 },
          shout: { type: 'boolean', description: 'Whether to say it loudly.', default: false },
        },
        additionalProperties: false,
      },
      output: {
        type: 'object',
        required: ['greeting'],
        properties: { greeting: { type: 'string' } },
      },
      run(ctx, input) {
        const name = input.name.trim();
        if (name === '') throw new ConnectorError('NAME_EMPTY', 'the name is empty; give somebody to greet');
        ctx.log.info('greeting', { name });
        const greeting = `Hello ${name}!`;
        return { greeting: input.shout === true ? greeting.toUpperCase() : greeting };
      },
    }),
  },
});
