import { defineActionFor, defineConnector } from '@goflow/plugin-sdk';
import { httpRequest } from './http-request.ts';
import { credential, input, output } from './schema.ts';

export default defineConnector({
  name: 'http',
  version: '1.0.0',
  title: 'HTTP',
  description: 'Calls any HTTP API. Which host it may reach, and as whom, the credential says.',
  credential,
  permissions: { net: ['{{credential.host}}', '{{credential.host}}:{{credential.port}}'] },
  // It waits for the network, mostly.
  limits: { memory_mb: 192, concurrency: 512, timeout_ms: 120_000 },
  actions: {
    http_request: defineActionFor(credential)({
      title: 'Send an HTTP request',
      description:
        'Any method, headers, JSON, text or bytes. The status of the answer is data: 4xx and 5xx do not fail the step.',
      input,
      output,
      run: httpRequest,
    }),
  },
});
