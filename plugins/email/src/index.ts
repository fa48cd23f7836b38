import { defineActionFor, defineConnector } from '@goflow/plugin-sdk';
import { credential, input, output } from './schema.ts';
import { sendEmail } from './send-email.ts';

export default defineConnector({
  name: 'email',
  version: '1.0.0',
  title: 'Email',
  description: 'Sends mail through any SMTP server, with STARTTLS or TLS.',
  credential,
  // SMTP AUTH sends the password inside an encoded text, where no placeholder could be replaced.
  secrets: 'value',
  permissions: { connect: ['{{credential.host}}:{{credential.port}}'] },
  limits: { concurrency: 64, timeout_ms: 60_000 },
  actions: {
    send_email: defineActionFor(credential)({
      title: 'Send an email',
      description: 'Sends a text, an html text, or both.',
      input,
      output,
      run: sendEmail,
    }),
  },
});
