import { afterAll, describe, expect, it } from 'vitest';
import { cancelAtEachAwait, openConnector, serverError } from '@goflow/plugin-sdk/testing';

// Builds the connector and runs it in the same sandbox as the host does; `upstream` answers instead of the service.
const connector = await openConnector({
  dir: new URL('..', import.meta.url),
  credential: { host: 'api.example.com', api_key: 'test-key-1' },
});
afterAll(() => connector.close());

const message = { channel: 'news', text: 'Hello' };

describe('notify', () => {
  it('sends the message with the key', async () => {
    const outcome = await connector.run('notify', message, {
      leaks: true,
      async upstream(request) {
        expect(request.url).toBe('https://api.example.com/messages');
        expect(request.headers.get('authorization')).toBe('Bearer test-key-1');
        expect(await request.json()).toEqual(message);
        return Response.json({ id: 'm-1' }, { status: 201 });
      },
    });
    expect(outcome).toMatchObject({
      status: 'succeeded',
      output: { id: 'm-1' },
      leaks: { timers: 0, calls: 0, bodies: 0 },
    });
  });

  it('says that the key was refused', async () => {
    const outcome = await connector.run('notify', message, { upstream: () => new Response(null, { status: 401 }) });
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'KEY_REFUSED', retryable: false } });
  });

  it('lets the run be tried again when the service has a bad day', async () => {
    const outcome = await connector.run('notify', message, { upstream: serverError });
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'SERVICE_FAILED', retryable: true } });
  });

  it('ends by itself wherever it is cancelled', async () => {
    const upstream = () => Response.json({ id: 'm-1' });
    for (const { what, outcome, endedItself } of await cancelAtEachAwait(connector, 'notify', message, { upstream }))
      expect([what, outcome.status, endedItself]).toEqual([what, 'cancelled', true]);
  });
});
