import { describe, expect, test } from 'vitest';
import { parseAllowPrivate } from '../../src/runtime/broker/broker.ts';
import { ask, fetchCall, httpServer, memoryStorage, refused, tcpServer, testBroker } from './harness.ts';

const endless: unknown[] = [];
endless.push(endless);

/** What a sandbox that was broken out of could send. */
const HOSTILE: readonly unknown[] = [
  undefined,
  null,
  1,
  'fetch',
  [],
  {},
  { op: 'constructor' },
  { op: '__proto__' },
  { op: ['fetch'] },
  { op: { toString: () => 'fetch' } },
  { op: 'x'.repeat(100) },
  { op: 'fetch' },
  { op: 'fetch', request: null },
  { op: 'fetch', request: { url: 1 } },
  { op: 'fetch', request: { url: 'http://a.test/', method: null, headers: [], body: null, redirect: 'follow' } },
  { op: 'fetch', request: { url: 'http://a.test/', method: 'GET', headers: {}, body: null, redirect: 'follow' } },
  { op: 'fetch', request: { url: 'http://a.test/', method: 'GET', headers: [['a']], body: null, redirect: 'follow' } },
  {
    op: 'fetch',
    request: { url: 'http://a.test/', method: 'GET', headers: [['a', 1]], body: null, redirect: 'follow' },
  },
  {
    op: 'fetch',
    request: {
      url: 'http://a.test/',
      method: 'GET',
      headers: [{ 0: 'a', 1: 'b', length: 2 }],
      body: null,
      redirect: 'follow',
    },
  },
  {
    op: 'fetch',
    request: {
      url: 'http://a.test/',
      method: 'GET',
      headers: Array.from({ length: 5000 }, () => ['a', 'b']),
      body: null,
      redirect: 'follow',
    },
  },
  { op: 'fetch', request: { url: 'http://a.test/', method: 'GET', headers: [], body: 'text', redirect: 'follow' } },
  {
    op: 'fetch',
    request: {
      url: 'http://a.test/',
      method: 'POST',
      headers: [],
      body: new Uint8Array(new SharedArrayBuffer(4)),
      redirect: 'follow',
    },
  },
  {
    op: 'fetch',
    request: { url: 'http://a.test/', method: 'POST', headers: [], body: { byteLength: -1 }, redirect: 'follow' },
  },
  { op: 'fetch', request: { url: 'http://a.test/', method: 'GET', headers: [], body: null, redirect: 'sideways' } },
  {
    op: 'fetch',
    request: { url: `http://a.test/${'x'.repeat(70_000)}`, method: 'GET', headers: [], body: null, redirect: 'follow' },
  },
  { op: 'fetch', request: { url: '', method: 'GET', headers: [], body: null, redirect: 'follow' } },
  { op: 'fetch', request: { url: 'http://', method: 'GET', headers: [], body: null, redirect: 'follow' } },
  { op: 'body.read', body: 'x' },
  { op: 'body.read', body: Number.NaN },
  { op: 'connect', host: 'a.test', port: 0, secureTransport: 'off' },
  { op: 'connect', host: 'a.test', port: 65_536, secureTransport: 'off' },
  { op: 'connect', host: 'a.test', port: 1.5, secureTransport: 'off' },
  { op: 'connect', host: 'a.test', port: '25', secureTransport: 'off' },
  { op: 'connect', host: 'a.test', port: 25, secureTransport: true },
  { op: 'connect', host: null, port: 25, secureTransport: 'off' },
  { op: 'socket.read', socket: 1e300 },
  { op: 'socket.read', socket: 99 },
  { op: 'socket.write', socket: 1, data: [1, 2, 3] },
  { op: 'socket.write', socket: 1, data: new Uint8Array(1) },
  { op: 'socket.starttls', socket: 1, serverName: {} },
  { op: 'storage.get', key: 1 },
  { op: 'storage.get', key: '' },
  { op: 'storage.get', key: 'k'.repeat(257) },
  { op: 'storage.get', key: '\ud800' },
  { op: 'storage.set', key: 'a' },
  { op: 'storage.set', key: 'a', value: () => 1 },
  { op: 'storage.set', key: 'a', value: 1n },
  { op: 'storage.set', key: 'a', value: endless },
  { op: 'storage.set', key: 'a', value: 'x'.repeat(256 * 1024) },
  { op: 'storage.list', prefix: null },
  { op: 'storage.list', prefix: 'p'.repeat(300) },
  new Proxy(
    {},
    {
      get: () => {
        throw new Error('trap');
      },
    },
  ),
  {
    get op() {
      throw new Error('trap');
    },
  },
];

test(`${HOSTILE.length} calls that no library makes are answered with an error, never thrown`, async () => {
  const { open, resolved } = testBroker();
  const session = open({ granted: { net: ['a.test:80'], connect: ['a.test:25'], storage: true } });
  for (const [index, call] of HOSTILE.entries()) {
    const error = await refused(session, call);
    expect(error, String(index)).toMatchObject({ code: 'CONNECTOR_ERROR', retryable: false });
    expect(error.message).not.toContain('trap');
  }
  expect(resolved).toEqual([]);
});

test('answers of bodies that are not there say that they have ended', async () => {
  const { open } = testBroker();
  const session = open();
  expect(await ask(session, { op: 'body.read', body: 7 })).toBeNull();
  expect(await ask(session, { op: 'body.cancel', body: 7 })).toBeNull();
  expect(await ask(session, { op: 'socket.close', socket: 7 })).toBeNull();
});

test('unread bodies are bounded per session', async () => {
  const { port } = await httpServer((_request, response) => void response.write('endless'));
  const { open } = testBroker();
  const session = open({ granted: { net: [`127.0.0.1:${port}`] } });
  const heads = await Promise.all(
    Array.from({ length: 128 }, () => ask(session, fetchCall(`http://127.0.0.1:${port}/`))),
  );
  expect(await refused(session, fetchCall(`http://127.0.0.1:${port}/`))).toMatchObject({
    code: 'CONNECTOR_ERROR',
    message: expect.stringContaining('at most 128') as string,
  });
  await ask(session, { op: 'body.cancel', body: heads[0]?.body ?? -1 });
  expect(await ask(session, fetchCall(`http://127.0.0.1:${port}/`))).toMatchObject({ status: 200 });
});

test('what waits to be sent is bounded per session', async () => {
  const { port } = await tcpServer((socket) => socket.pause());
  const { open } = testBroker();
  const session = open({ granted: { connect: [`127.0.0.1:${port}`] } });
  const { socket } = await ask(session, { op: 'connect', host: '127.0.0.1', port, secureTransport: 'off' });
  const data = new Uint8Array(40 * 1024 * 1024);
  const first = session.handle({ op: 'socket.write', socket, data });
  expect(await refused(session, { op: 'socket.write', socket, data })).toMatchObject({ code: 'CONNECTOR_ERROR' });
  session.close('ended');
  expect(await first).toMatchObject({ ok: false, error: { code: 'CANCELLED' } });
});

test('waiting calls are bounded per session', async () => {
  const { open } = testBroker({ storage: { ...memoryStorage(), get: () => new Promise(() => {}) } });
  const session = open({ granted: { storage: true } });
  const waiting = Array.from({ length: 1024 }, () => session.handle({ op: 'storage.get', key: 'a' }));
  expect(await refused(session, { op: 'storage.get', key: 'a' })).toMatchObject({ code: 'CONNECTOR_ERROR' });
  session.close('ended');
  expect((await Promise.all(waiting)).every((reply) => !reply.ok)).toBe(true);
});

describe('storage', () => {
  test('keeps JSON per tenant and plugin, and lists keys in order', async () => {
    const { open } = testBroker();
    const session = open({ granted: { storage: true } });
    const value = { a: [1, null, 'ü'], b: { c: true } };
    await ask(session, { op: 'storage.set', key: 'b', value });
    await ask(session, { op: 'storage.set', key: 'a/2', value: 2 });
    await ask(session, { op: 'storage.set', key: 'a/1', value: null });
    expect(JSON.parse((await ask(session, { op: 'storage.get', key: 'b' })) ?? '')).toEqual(value);
    expect(await ask(session, { op: 'storage.get', key: 'none' })).toBeNull();
    expect(await ask(session, { op: 'storage.list', prefix: '' })).toEqual(['a/1', 'a/2', 'b']);
    expect(await ask(session, { op: 'storage.list', prefix: 'a/' })).toEqual(['a/1', 'a/2']);
    await ask(session, { op: 'storage.delete', key: 'b' });
    expect(await ask(session, { op: 'storage.get', key: 'b' })).toBeNull();
    for (const other of [
      open({ granted: { storage: true }, tenantId: 'tenant-2' }),
      open({ granted: { storage: true }, plugin: 'other' }),
    ])
      expect(await ask(other, { op: 'storage.list', prefix: '' })).toEqual([]);
  });

  test('takes its scope from the session, whatever the call says', async () => {
    const { open } = testBroker();
    const call = {
      op: 'storage.set',
      key: 'k',
      value: 1,
      tenantId: 'tenant-2',
      scope: { tenantId: 'tenant-2', plugin: 'other' },
    } as const;
    await ask(open({ granted: { storage: true } }), call);
    expect(
      await ask(open({ granted: { storage: true }, tenantId: 'tenant-2' }), { op: 'storage.list', prefix: '' }),
    ).toEqual([]);
  });

  test('needs its permission', async () => {
    const { open } = testBroker();
    for (const granted of [{}, { storage: false }])
      for (const call of [
        { op: 'storage.get', key: 'a' },
        { op: 'storage.set', key: 'a', value: 1 },
        { op: 'storage.delete', key: 'a' },
        { op: 'storage.list', prefix: '' },
      ])
        expect(await refused(open({ granted }), call)).toMatchObject({
          code: 'PERMISSION_NOT_GRANTED',
          details: { permission: 'storage' },
        });
  });

  test('does not tell a connector what is wrong with the store', async () => {
    const { open } = testBroker({
      storage: { ...memoryStorage(), get: () => Promise.reject(new Error('SQLITE_CORRUPT /var/lib/x.db')) },
    });
    const error = await refused(open({ granted: { storage: true } }), { op: 'storage.get', key: 'a' });
    expect(error).toEqual({ code: 'CONNECTOR_ERROR', message: 'the storage did not answer', retryable: true });
  });
});

describe('GOFLOW_EGRESS_ALLOW_PRIVATE', () => {
  test('is a comma list of host:port, networks, and networks with a port', () => {
    const { entries } = parseAllowPrivate(
      ' 127.0.0.1:2525,10.0.0.0/8 , [fd00::/8]:5432,fd00::/8,Localhost:1025,[::1]:80,10.1.0.0/16:443,, ',
    );
    expect(entries.map(({ text }) => text)).toEqual([
      '127.0.0.1:2525',
      '10.0.0.0/8',
      '[fd00::/8]:5432',
      'fd00::/8',
      'localhost:1025',
      '[::1]:80',
      '10.1.0.0/16:443',
    ]);
    expect(parseAllowPrivate('').entries).toEqual([]);
  });

  test.each([
    ['10.0.0.1', 'needs a port'],
    ['localhost', 'needs a port'],
    ['::1', 'needs a port'],
    ['localhost:0', 'port that is not 1 to 65535'],
    ['localhost:x', 'port that is not 1 to 65535'],
    ['10.0.0.0/33', 'prefix length'],
    ['0.0.0.0/0', 'prefix length'],
    ['::/0', 'prefix length'],
    ['10/8', 'is not a network'],
    ['10.0.0.0/8:99999', 'port that is not 1 to 65535'],
    ['http://localhost:80', 'is not a network'],
    ['*:80', 'does not begin with a host name'],
    ['a b:80', 'does not begin with a host name'],
  ])('refuses %s and says why', (text, why) => {
    expect(() => parseAllowPrivate(`127.0.0.1:1,${text}`)).toThrow(why);
    expect(() => parseAllowPrivate(text)).toThrow(`"${text}"`);
  });
});
