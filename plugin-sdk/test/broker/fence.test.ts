import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { ask, fetchCall, httpServer, refused, tcpServer, testBroker, until } from './harness.ts';

test('closing a session destroys its requests and sockets, and answers everything that waits', async () => {
  const web = await httpServer((request, response) => {
    if (request.url === '/body') response.write('begun');
  });
  const raw = await tcpServer(() => {});
  const { open, records } = testBroker();
  const session = open({ granted: { net: [`127.0.0.1:${web.port}`], connect: [`127.0.0.1:${raw.port}`] } });
  const head = await ask(session, fetchCall(`http://127.0.0.1:${web.port}/body`));
  const { socket } = await ask(session, { op: 'connect', host: '127.0.0.1', port: raw.port, secureTransport: 'off' });
  await ask(session, { op: 'body.read', body: head.body ?? -1 });
  const waiting = [
    session.handle(fetchCall(`http://127.0.0.1:${web.port}/head`)),
    session.handle({ op: 'body.read', body: head.body ?? -1 }),
    session.handle({ op: 'socket.read', socket }),
  ];
  await until(() => web.open.size === 2);
  session.close('deadline');
  for (const reply of await Promise.all(waiting))
    expect(reply).toMatchObject({ ok: false, error: { code: 'DEADLINE_EXCEEDED' } });
  await until(() => web.open.size === 0 && raw.open.size === 0);
  expect(records).toHaveLength(3);
  for (const record of records) expect(record.error?.code).toBe('DEADLINE_EXCEEDED');
});

test('a closed session refuses everything, and closing it twice is nothing', async () => {
  const web = await httpServer((_request, response) => response.end());
  const { open } = testBroker();
  const session = open({
    granted: { net: [`127.0.0.1:${web.port}`], connect: [`127.0.0.1:${web.port}`], storage: true },
  });
  session.close('cancelled');
  session.close('ended');
  const calls = [
    fetchCall(`http://127.0.0.1:${web.port}/`),
    { op: 'connect', host: '127.0.0.1', port: web.port, secureTransport: 'off' },
    { op: 'storage.set', key: 'a', value: 1 },
    { op: 'storage.get', key: 'a' },
    { op: 'socket.write', socket: 1, data: new Uint8Array(1) },
  ];
  for (const call of calls) expect(await refused(session, call)).toMatchObject({ code: 'CANCELLED' });
  expect(web.counts.connections).toBe(0);
});

test.each(['now', 'next microtask', 'next turn', 'while the name is resolved'] as const)(
  'nothing reaches the network when the session is closed %s',
  async (when) => {
    const answer = Promise.withResolvers<string[]>();
    let requests = 0;
    const web = await httpServer((_request, response) => {
      requests++;
      response.end();
    });
    const { open } = testBroker({ resolve: () => answer.promise });
    const warm = open({ granted: { net: [`127.0.0.1:${web.port}`] } });
    await ask(warm, fetchCall(`http://127.0.0.1:${web.port}/`));
    const session = open({
      granted: { net: [`127.0.0.1:${web.port}`, `name.test:${web.port}`], connect: [`name.test:${web.port}`] },
    });
    // One on a connection that is kept, one on a new one, one socket: each at another place of its way.
    const host = when === 'while the name is resolved' ? 'name.test' : '127.0.0.1';
    const waiting = [
      session.handle(fetchCall(`http://${host}:${web.port}/`, { method: 'POST', body: 'x'.repeat(100) })),
      session.handle(fetchCall(`http://name.test:${web.port}/`)),
      session.handle({ op: 'connect', host: 'name.test', port: web.port, secureTransport: 'off' }),
    ];
    if (when === 'next microtask') await Promise.resolve();
    if (when === 'while the name is resolved') await new Promise(setImmediate);
    const before = requests;
    if (when !== 'next turn') session.close('deadline');
    answer.resolve(['127.0.0.1']);
    if (when === 'next turn') session.close('deadline');
    for (const reply of await Promise.all(waiting))
      expect(reply).toMatchObject({ ok: false, error: { code: 'DEADLINE_EXCEEDED' } });
    // Another session's request goes through afterwards: whatever was on its way would have arrived before it.
    const later = open({ granted: { net: [`127.0.0.1:${web.port}`] } });
    await ask(later, fetchCall(`http://127.0.0.1:${web.port}/`));
    expect(requests).toBe(before + 1);
  },
);

test('what a slow peer has not taken yet is never sent after the session was closed', async () => {
  let received = 0;
  const gate = Promise.withResolvers<void>();
  const raw = await tcpServer((socket) => {
    socket.pause();
    socket.on('data', (data: Buffer) => (received += data.length));
    void gate.promise.then(() => socket.resume());
  });
  const { open } = testBroker();
  const session = open({ granted: { connect: [`127.0.0.1:${raw.port}`] } });
  const { socket } = await ask(session, { op: 'connect', host: '127.0.0.1', port: raw.port, secureTransport: 'off' });
  const total = 32 * 1024 * 1024;
  const waiting = session.handle({ op: 'socket.write', socket, data: new Uint8Array(total) });
  await until(() => raw.open.size === 1);
  session.close('deadline');
  expect(await waiting).toMatchObject({ ok: false, error: { code: 'DEADLINE_EXCEEDED' } });
  gate.resolve();
  await until(() => raw.open.size === 0);
  // Only what the operating system had taken before.
  expect(received).toBeLessThan(total);
});

test('a connection of which nothing is heard is given up by the deadline of the session', async () => {
  const { open } = testBroker({ resolve: () => new Promise(() => {}) });
  const session = open({ granted: { net: ['name.test:80'] }, deadline: performance.now() + 100 });
  expect(await refused(session, fetchCall('http://name.test/'))).toMatchObject({
    code: 'NETWORK_ERROR',
    details: { cause: 'ETIMEDOUT' },
  });
});

test('a finished request leaves nothing behind in its session', async () => {
  const web = await httpServer((_request, response) => response.end('x'.repeat(200_000)));
  const { open } = testBroker();
  const session = open({ granted: { net: [`127.0.0.1:${web.port}`] } });
  for (let round = 0; round < 300; round++) {
    const head = await ask(session, fetchCall(`http://127.0.0.1:${web.port}/`));
    if (head.body !== null) while ((await ask(session, { op: 'body.read', body: head.body })) !== null);
  }
  expect(session.stats).toMatchObject({ requests: 300, refused: 0, bytesReceived: 300 * 200_000 });
  expect(web.counts.connections).toBe(1);
});
