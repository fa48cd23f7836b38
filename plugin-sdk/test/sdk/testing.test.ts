import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenConnector, openConnector } from '../../src/testing/index.ts';
import { project } from '../build/support.ts';

const SOURCE = `import { ConnectorError, defineAction, defineConnector } from '@goflow/plugin-sdk';
export default defineConnector({
  name: 'tried', version: '1.0.0',
  permissions: { net: ['{{credential.host}}:{{credential.port}}'], storage: true },
  credential: {
    type: 'object', required: ['host', 'port', 'key'],
    properties: { host: { type: 'string' }, port: { type: 'integer' }, key: { type: 'string', writeOnly: true } },
  },
  actions: {
    call: defineAction({
      async run(ctx) {
        const { host, port, key } = ctx.credential;
        const response = await ctx.fetch(\`http://\${host}:\${port}/\`, { headers: { authorization: key } });
        ctx.log.info('called', { key });
        return { status: response.status, seen: await response.text(), key };
      },
    }),
    count: defineAction({
      async run(ctx) {
        const count = Number((await ctx.storage.get('count')) ?? 0) + 1;
        await ctx.storage.set('count', count);
        return { count };
      },
    }),
    wait: defineAction({ async run(ctx) { await ctx.sleep(60_000); } }),
    spin: defineAction({ run() { for (;;); } }),
    fail: defineAction({ run(): never { throw new ConnectorError('NOPE', 'no', { retryable: true, details: { a: 1 } }); } }),
    lie: defineAction({ output: { type: 'object', required: ['id'] }, run: () => ({}) as never }),
  },
});
`;

let server: Server;
let port: number;
let connector: OpenConnector;

beforeAll(async () => {
  server = createServer((request, response) => response.end(`got ${request.headers.authorization}`));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
  const dir = await project({ 'src/index.ts': SOURCE });
  connector = await openConnector({
    dir,
    allowPrivate: [`127.0.0.1:${port}`],
    credential: { host: '127.0.0.1', port, key: 'very-secret-key' },
  });
});

afterAll(async () => {
  await connector.close();
  server.closeAllConnections();
  server.close();
});

describe('a connector in the sandbox', () => {
  it('reaches what it asks for, with its secret, which is shown nowhere', async () => {
    const outcome = await connector.run('call');
    expect(outcome).toMatchObject({
      status: 'succeeded',
      output: { status: 200, seen: 'got ***' },
      egress: [{ host: '127.0.0.1', port, status: 200 }],
    });
    expect(JSON.stringify(outcome)).not.toContain('very-secret-key');
  });

  it('reaches no other address', async () => {
    const outcome = await connector.run(
      'call',
      {},
      { credential: { host: '127.0.0.1', port: port === 1 ? 2 : 1, key: 'very-secret-key' } },
    );
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'EGRESS_DENIED' } });
  });

  it('keeps its storage between calls', async () => {
    await connector.run('count');
    expect(await connector.run('count')).toMatchObject({ output: { count: 2 } });
  });

  it('is ended at its deadline, whatever it does', async () => {
    expect(await connector.run('wait', {}, { timeoutMs: 50 })).toMatchObject({
      status: 'timed_out',
      error: { code: 'DEADLINE_EXCEEDED' },
    });
    expect(await connector.run('spin', {}, { timeoutMs: 50 })).toMatchObject({ status: 'timed_out' });
  });

  it('is ended when it is cancelled', async () => {
    const stop = new AbortController();
    const outcome = connector.run('wait', {}, { signal: stop.signal });
    stop.abort('cancelled');
    expect(await outcome).toMatchObject({ status: 'cancelled', error: { code: 'CANCELLED' } });
  });

  it('fails with its own error', async () => {
    expect(await connector.run('fail')).toMatchObject({
      status: 'failed',
      error: { code: 'NOPE', message: 'no', retryable: true, details: { a: 1 } },
    });
  });

  it('is held to its output schema', async () => {
    expect(await connector.run('lie')).toMatchObject({
      status: 'failed',
      error: { code: 'RESULT_INVALID', message: expect.stringContaining('/output/id is missing') },
    });
  });

  it('has no action of another name', async () => {
    await expect(connector.run('toString')).rejects.toThrow(/no action "toString"; there are call, count/);
  });
});
