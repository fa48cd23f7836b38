// The reference of `npm run bench`: what the same request costs with nothing but Koa and ajv. Isolates nothing, stores nothing, traces nothing.
import type { AddressInfo } from 'node:net';
import { Ajv2020 } from 'ajv/dist/2020.js';
import Koa from 'koa';

const validate = new Ajv2020({ allErrors: true }).compile<{ customer_name: string; plan?: string }>({
  type: 'object',
  required: ['customer_name', 'email'],
  additionalProperties: false,
  properties: {
    customer_name: { type: 'string', maxLength: 80 },
    email: { type: 'string' },
    plan: { type: 'string', enum: ['free', 'pro'] },
  },
});

const app = new Koa();
app.use(async (ctx) => {
  const chunks: Buffer[] = [];
  for await (const chunk of ctx.req) chunks.push(chunk as Buffer);
  const { parameters } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { parameters: unknown };
  if (!validate(parameters)) {
    ctx.status = 400;
    ctx.body = { errors: validate.errors };
    return;
  }
  ctx.body = { message: `Welcome ${parameters.customer_name}! Your ${parameters.plan ?? 'free'} plan is ready.` };
});
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(
    `${JSON.stringify({ msg: 'host ready', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })}\n`,
  );
});
process.on('SIGTERM', () => process.exit(0));
