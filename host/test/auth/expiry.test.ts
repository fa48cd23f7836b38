import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { BOOTSTRAP_KEY, startWholeHost, type WholeHost } from '../access/support.ts';

let host: WholeHost;
beforeAll(async () => {
  host = await startWholeHost();
});
afterAll(() => host.close());

test('a key with an end works until then, and answers 401 with the reason after it', async () => {
  const end = new Date(Date.now() + 3_600_000).toISOString();
  const made = await host.key('acme', 'admin', { expires_at: end.replace('Z', '+00:00') });
  expect(made).toMatchObject({ expires_at: end });
  const listed = await host.ask('GET', '/api/keys', { key: made.key });
  expect(listed.json.items[0]).toMatchObject({ id: made.id, expires_at: end });
  // The host believes the key for a second after it has looked it up: its end counts all the same.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(end) });
  onTestFinished(() => void vi.useRealTimers());
  const answer = await host.ask('GET', '/api/keys', { key: made.key });
  expect([answer.status, answer.json.detail]).toEqual([401, `the key ${made.id} expired at ${end}`]);
});

test('a key without an end says so', async () => {
  expect(await host.key('acme', 'viewer')).toMatchObject({ expires_at: null });
});

test.each(['tomorrow', '2030-01-31', '2020-01-31T12:00:00Z', '2030-13-31T12:00:00Z', 1_900_000_000, null, '', {}])(
  'a key cannot end at %j',
  async (end) => {
    const body = { name: 'x', role: 'viewer', expires_at: end };
    const answer = await host.ask('POST', '/api/keys', { key: BOOTSTRAP_KEY, body });
    expect([answer.status, answer.json.errors[0].pointer]).toEqual([400, '/expires_at']);
  },
);

test('the last key that expires does not open the host again', async () => {
  const open = await startWholeHost({ GOFLOW_ADMIN_KEY: '' });
  onTestFinished(() => open.close());
  expect((await open.ask('GET', '/api/keys')).status).toBe(200);
  const end = new Date(Date.now() + 60_000).toISOString();
  const body = { name: 'only', role: 'admin', expires_at: end };
  expect((await open.ask('POST', '/api/keys', { body })).status).toBe(201);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(end) + 1 });
  onTestFinished(() => void vi.useRealTimers());
  expect((await open.ask('GET', '/api/keys')).status).toBe(401);
});

test('a revoked key opens nothing from the moment its DELETE was answered, however busy it is', async () => {
  for (let round = 0; round < 20; round++) {
    const { id, key } = await host.key('acme', 'viewer');
    const busy = Array.from({ length: 5 }, () => host.ask('GET', '/api/workflows', { key }));
    await host.ask('DELETE', `/api/keys/${id}`, { key: BOOTSTRAP_KEY, tenant: 'acme' });
    expect((await host.ask('GET', '/api/workflows', { key })).status).toBe(401);
    await Promise.all(busy);
  }
});
