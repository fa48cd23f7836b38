import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startWholeHost, type Answer, type WholeHost } from './support.ts';

const KEY = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const SECRET = `whsec_${KEY}`;

let host: WholeHost;
let admin: string;
beforeAll(async () => {
  host = await startWholeHost();
  admin = (await host.key('acme', 'admin')).key;
});
afterAll(() => host.close());

const call = (id: string, options: object = {}): Promise<Answer> => host.ask('POST', `/api/webhooks/${id}`, options);
const make = async (body: object): Promise<Answer['json']> =>
  (await host.ask('POST', '/api/workflows', { key: admin, body: { name: 'Hook', ...body } })).json;

function signed(id: string, body: string, at = Math.floor(Date.now() / 1000)) {
  const mac = createHmac('sha256', Buffer.from(KEY, 'base64')).update(`${id}.${at}.${body}`).digest('base64');
  return { body, headers: { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${mac}` } };
}

describe('a webhook id', () => {
  test('is the workflow id where the host made it', async () => {
    const { id, webhook_id } = await make({});
    expect(webhook_id).toBe(id);
    const answer = await call(id);
    expect([answer.status, answer.json.status]).toEqual([200, 'triggered']);
  });

  test('has a code of 128 bits where a person chose the workflow id, and does not work without it', async () => {
    const put = await host.ask('PUT', '/api/workflows/orders', { key: admin, body: { name: 'Orders' } });
    expect(put.json.webhook_id).toMatch(/^orders\.[A-Za-z0-9_-]{22}$/);
    expect((await call(put.json.webhook_id as string)).status).toBe(200);
    const wrong = `orders.${'A'.repeat(22)}`;
    for (const id of [
      'orders',
      'orders.',
      wrong,
      `${String(put.json.webhook_id)}A`,
      'nothing',
      `nothing.${'A'.repeat(22)}`,
    ]) {
      const answer = await call(id);
      expect([id, answer.status, answer.json.detail]).toEqual([id, 404, 'there is no such webhook']);
    }
  });

  test('has a code too where a person chose an id that looks like one of the host', async () => {
    const id = 'wf_019c0000000070008000000000000000';
    const put = await host.ask('PUT', `/api/workflows/${id}`, { key: admin, body: { name: 'Looks made' } });
    expect(put.json.webhook_id).toMatch(new RegExp(`^${id}\\..{22}$`));
    expect((await call(id)).status).toBe(404);
    const patched = await host.ask('PATCH', `/api/workflows/${id}`, { key: admin, body: { description: 'x' } });
    expect(patched.json.webhook_id).toBe(put.json.webhook_id);
  });

  test('starts the workflow of its own tenant where two chose the same id', async () => {
    const rival = (await host.key('rival', 'admin')).key;
    const ours = await host.ask('PUT', '/api/workflows/both', { key: admin, body: { name: 'Ours' } });
    const theirs = await host.ask('PUT', '/api/workflows/both', { key: rival, body: { name: 'Theirs' } });
    expect(ours.json.webhook_id).not.toBe(theirs.json.webhook_id);
    const answer = await call(theirs.json.webhook_id as string);
    expect(answer.json.message).toContain('"Theirs"');
    expect((await host.ask('GET', `/api/runs/${answer.json.run_id}`, { key: rival })).status).toBe(200);
    expect((await host.ask('GET', `/api/runs/${answer.json.run_id}`, { key: admin })).status).toBe(404);
  });

  test('may be any workflow id on a host that runs open', async () => {
    const open = await startWholeHost({ GOFLOW_ADMIN_KEY: '' });
    onTestFinished(() => open.close());
    await open.ask('PUT', '/api/workflows/orders', { body: { name: 'Orders' } });
    expect((await open.ask('POST', '/api/webhooks/orders')).status).toBe(200);
  });
});

describe('a webhook with a secret', () => {
  test('takes a message that is signed with it', async () => {
    const { id } = await make({ webhook: { secret: SECRET } });
    const answer = await call(id, signed('msg_1', '{"order": 1}'));
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('triggered')]);
    const run = await host.ask('GET', `/api/runs/${answer.json.run_id}`, { key: admin });
    expect(run.json.trigger).toMatchObject({ type: 'webhook', body: { order: 1 } });
    expect(run.text).not.toContain('v1,');
  });

  test('answers 401 to a message without a signature, with a wrong one, and to one that is too old', async () => {
    const { id } = await make({ webhook: { secret: SECRET } });
    const good = signed('msg_1', '{"order": 1}');
    const old = signed('msg_1', '{"order": 1}', Math.floor(Date.now() / 1000) - 310);
    for (const bad of [{ body: good.body }, { ...good, body: '{"order": 2}' }, old]) {
      const answer = await call(id, bad);
      expect([answer.status, answer.json.code]).toEqual([401, 'UNAUTHENTICATED']);
    }
    expect((await host.ask('GET', `/api/workflows/${id}/runs`, { key: admin })).json.items).toEqual([]);
  });

  test('starts one run for a message, however often it comes', async () => {
    const { id } = await make({ webhook: { secret: SECRET } });
    const message = signed('msg_7', '{"order": 7}');
    const answers = [await call(id, message)];
    for (let i = 0; i < 3; i++) answers.push(await call(id, message));
    // Sent again by its sender, a little later: another time, another signature, the same message.
    answers.push(await call(id, signed('msg_7', '{"order": 7}', Math.floor(Date.now() / 1000) - 1)));
    expect(new Set(answers.map(({ json }) => json.run_id as string)).size).toBe(1);
    expect(answers.map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([
      null,
      'true',
      'true',
      'true',
      'true',
    ]);
    expect((await host.ask('GET', `/api/workflows/${id}/runs`, { key: admin })).json.items).toHaveLength(1);
    expect((await call(id, signed('msg_7', '{"order": 8}'))).status).toBe(422);
  });

  test('does not mix up message ids and the idempotency keys of triggers', async () => {
    const { id } = await make({ webhook: { secret: SECRET } });
    await call(id, signed('k', '{}'));
    const headers = { 'idempotency-key': 'k' };
    const answer = await host.ask('POST', `/api/workflows/${id}/trigger`, { key: admin, body: {}, headers });
    expect([answer.status, answer.headers.get('idempotency-replayed')]).toEqual([202, null]);
  });

  test('never shows the secret: not in an answer, the log, the audit trail or the database', async () => {
    const made = await make({ webhook: { secret: SECRET } });
    expect(made.webhook).toEqual({ signed: true });
    const { id } = made;
    const wrong = await host.ask('PATCH', `/api/workflows/${id}`, {
      key: admin,
      body: { webhook: { secret: `${SECRET}!` } },
    });
    expect([wrong.status, wrong.json.errors[0].pointer]).toEqual([400, '/webhook/secret']);
    const seen = [
      JSON.stringify(made),
      wrong.text,
      (await host.ask('GET', '/api/audit', { key: admin })).text,
      (await host.ask('GET', '/api/openapi.json', { key: admin })).text,
      host.lines.join('\n'),
      ...['goflow.db', 'goflow.db-wal'].map((file) => readFileSync(path.join(host.dataDir, file), 'latin1')),
    ];
    for (const text of seen) expect(text.includes(KEY)).toBe(false);
  });

  test('is also one of the original shape, where a member of that name meant nothing', async () => {
    const original = { name: 'Old', trigger_type: 'webhook', action_type: 'testing', config_json: {} };
    const put = (body: object) => host.ask('POST', '/api/workflows', { key: admin, body: { ...original, ...body } });
    const plain = await put({ webhook: { url: '/hook' } });
    const signing = await put({ webhook: { secret: SECRET } });
    // Whether the action is installed does not matter here: what is told is not about the webhook.
    for (const { json } of [plain, signing]) expect(JSON.stringify(json.errors ?? [])).not.toContain('/webhook');
    const wrong = await put({ webhook: { secret: 'short' } });
    expect(JSON.stringify(wrong.json.errors)).toContain('/webhook/secret');
  });

  test('keeps it through changes, gets another one, and loses it when told so', async () => {
    const { id } = await make({ webhook: { secret: SECRET } });
    const change = (body: object) => host.ask('PATCH', `/api/workflows/${id}`, { key: admin, body });
    await change({ description: 'x' });
    const shown = (await host.ask('GET', `/api/workflows/${id}`, { key: admin })).json;
    expect((await call(id)).status).toBe(401);
    const { name, webhook } = shown;
    await host.ask('PUT', `/api/workflows/${id}`, { key: admin, body: { name, webhook } });
    expect((await call(id, signed('msg_1', '{}'))).status).toBe(200);
    await change({ webhook: { secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}` } });
    expect((await call(id, signed('msg_2', '{}'))).status).toBe(401);
    await change({ webhook: null });
    expect((await call(id)).status).toBe(200);
  });

  test.each([
    ['no text', { secret: 5 }],
    ['without its prefix', { secret: KEY }],
    ['too short', { secret: 'whsec_AAAA' }],
    ['too long', { secret: `whsec_${'A'.repeat(200)}` }],
    ['kept, where there is none', { signed: true }],
    ['not to be signed', { signed: false }],
    ['with an unknown member', { secret: SECRET, other: 1 }],
    ['a text', 'whsec'],
  ])('is refused where the secret is %s', async (_what, webhook) => {
    const answer = await host.ask('POST', '/api/workflows', { key: admin, body: { name: 'x', webhook } });
    expect(answer.status).toBe(400);
    expect(answer.json.errors[0].pointer).toMatch(/^\/webhook/);
  });
});

test('a webhook takes from the rate limit of its tenant', async () => {
  const limited = await startWholeHost({ GOFLOW_RATE_LIMIT_TENANT: '5' });
  onTestFinished(() => limited.close());
  const { key } = await limited.key('acme', 'editor');
  const { json } = await limited.ask('POST', '/api/workflows', { key, body: { name: 'x' } });
  const answers = await Promise.all(
    Array.from({ length: 60 }, () => limited.ask('POST', `/api/webhooks/${String(json.id)}`)),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
});
