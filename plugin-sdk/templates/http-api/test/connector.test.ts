import { afterAll, describe, expect, it } from 'vitest';
import { eachFault, openConnector, tooManyRequests } from '@goflow/plugin-sdk/testing';

// Builds the connector and runs it in the same sandbox as the host does; `upstream` answers instead of the API.
const connector = await openConnector({ dir: new URL('..', import.meta.url) });
afterAll(() => connector.close());

function api(request: Request): Response {
  const { pathname, search } = new URL(request.url);
  if (pathname === '/items/a-1') return Response.json({ id: 'a-1' });
  if (pathname !== '/items') return new Response(null, { status: 404 });
  return search === ''
    ? Response.json({ items: [{ id: 'a-1' }, { id: 'a-2' }], next: '/items?page=2' })
    : Response.json({ items: [{ id: 'a-3' }], next: null });
}

describe('get_item', () => {
  it('reads an item', async () => {
    expect(await connector.run('get_item', { id: 'a-1' }, { upstream: api })).toMatchObject({ output: { id: 'a-1' } });
  });

  it('says that there is none', async () => {
    const outcome = await connector.run('get_item', { id: 'b' }, { upstream: api });
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'NOT_FOUND' } });
  });
});

describe('list_items', () => {
  it('reads all pages', async () => {
    const outcome = await connector.run('list_items', {}, { upstream: api });
    expect(outcome).toMatchObject({ output: { items: [{ id: 'a-1' }, { id: 'a-2' }, { id: 'a-3' }] } });
  });

  it('waits as long as the API asks for', async () => {
    let requests = 0;
    const upstream = (request: Request) => (++requests === 1 ? tooManyRequests(20) : api(request));
    // With a clock of the test the 20 seconds pass at once.
    const outcome = await connector.run('list_items', {}, { upstream, clock: '2026-01-01' });
    expect(outcome).toMatchObject({ status: 'succeeded' });
    expect(outcome.clock_ms).toBeGreaterThanOrEqual(20_000);
  });

  it('fails with a reason on each bad day', async () => {
    for (const { what, outcome } of await eachFault(connector, 'list_items', {}, { upstream: api, timeoutMs: 500 }))
      if (outcome.status === 'failed')
        expect([what, outcome.error.code]).toEqual([what, expect.stringMatching(/^[A-Z_]+$/)]);
  });
});
