import { performance } from 'node:perf_hooks';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { type BrokerSession, parseAllowPrivate } from '../../src/runtime/broker/broker.ts';
import { Dialer } from '../../src/runtime/broker/dial.ts';
import { Fence } from '../../src/runtime/broker/fence.ts';
import { AddressGuard } from '../../src/runtime/broker/guard.ts';
import { ask, CERT, KEY, listening, refused, tcpServer, testBroker, until } from './harness.ts';

type Transport = 'on' | 'off' | 'starttls';

const connect = (host: string, port: number, secureTransport: Transport = 'off') =>
  ({ op: 'connect', host, port, secureTransport }) as const;
const bytes = (text: string) => new TextEncoder().encode(text);

async function readText(session: BrokerSession, socket: number): Promise<string | null> {
  const chunk = await ask(session, { op: 'socket.read', socket });
  return chunk === null ? null : Buffer.from(chunk).toString();
}

describe('connect', () => {
  test('talks to a granted host and port, and records the connection', async () => {
    const { port } = await tcpServer((socket) =>
      socket.on('data', (data: Buffer) => socket.end(`echo ${data.toString()}`)),
    );
    const { open, records } = testBroker();
    const session = open({ granted: { connect: [`127.0.0.1:${port}`] } });
    const { socket, remoteAddress } = await ask(session, connect('127.0.0.1', port));
    expect(remoteAddress).toBe(`127.0.0.1:${port}`);
    await ask(session, { op: 'socket.write', socket, data: bytes('hello') });
    expect(await readText(session, socket)).toBe('echo hello');
    expect(await readText(session, socket)).toBeNull();
    await ask(session, { op: 'socket.close', socket });
    await until(() => records.length === 1);
    expect(records).toMatchObject([
      {
        kind: 'tcp',
        host: '127.0.0.1',
        port,
        address: '127.0.0.1',
        rule: `127.0.0.1:${port}`,
        bytesSent: 5,
        bytesReceived: 10,
        error: null,
      },
    ]);
    expect(await refused(session, { op: 'socket.read', socket })).toMatchObject({ code: 'CONNECTOR_ERROR' });
  });

  test('keeps reading after it has ended its own direction', async () => {
    const { port } = await tcpServer(
      (socket) => {
        let text = '';
        socket.on('data', (data: Buffer) => (text += data.toString()));
        socket.on('end', () => socket.end(`got ${text}`));
      },
      { allowHalfOpen: true },
    );
    const { open } = testBroker();
    const session = open({ granted: { connect: [`127.0.0.1:${port}`] } });
    const { socket } = await ask(session, connect('127.0.0.1', port));
    await ask(session, { op: 'socket.write', socket, data: bytes('all') });
    await ask(session, { op: 'socket.end', socket });
    expect(await refused(session, { op: 'socket.write', socket, data: bytes('more') })).toMatchObject({
      code: 'CONNECTOR_ERROR',
    });
    expect(await readText(session, socket)).toBe('got all');
    expect(await readText(session, socket)).toBeNull();
  });

  test('is refused without a grant for this host and port, before any look-up', async () => {
    const { open, resolved, records } = testBroker();
    const session = open({ granted: { connect: ['smtp.test:587', '*.mail.test:25'], net: ['other.test:25'] } });
    for (const [host, port] of [
      ['smtp.test', 25],
      ['mail.test', 25],
      ['other.test', 25],
      ['smtp.test.evil.test', 587],
    ] as const)
      expect(await refused(session, connect(host, port))).toMatchObject({
        code: 'EGRESS_DENIED',
        details: { host, rule: 'not-granted' },
      });
    expect(resolved).toEqual([]);
    expect(records).toHaveLength(4);
    expect(await refused(session, connect('SMTP.Test.', 587))).toMatchObject({ code: 'NETWORK_ERROR' });
    expect(resolved).toEqual(['smtp.test']);
  });

  test.each([
    '',
    'a b',
    'http://smtp.test',
    'smtp.test/x',
    'u@smtp.test',
    'smtp.test:587',
    'smtp.test#',
    '[::1',
    'fe80::1%eth0',
    'x\r\ny',
    '{{credential.host}}',
  ])('takes no "%s" for a host', async (host) => {
    const { open } = testBroker();
    expect(await refused(open({ granted: { connect: ['smtp.test:587'] } }), connect(host, 587))).toMatchObject({
      code: 'EGRESS_DENIED',
    });
  });

  test('checks the address that a name resolves to', async () => {
    const { port, counts } = await tcpServer(() => {});
    const { open } = testBroker({ allow: '', names: { 'smtp.test': ['127.0.0.1'] } });
    expect(
      await refused(open({ granted: { connect: [`smtp.test:${port}`] } }), connect('smtp.test', port)),
    ).toMatchObject({ code: 'EGRESS_DENIED', details: { rule: 'address:loopback' } });
    expect(counts.connections).toBe(0);
  });

  test('speaks TLS to the name that was asked for', async () => {
    const server = await listening(
      createTlsServer({ cert: CERT, key: KEY }, (socket) => socket.end(`name ${String(socket.servername)}`)),
    );
    const { open } = testBroker({ names: { 'tls.test': ['127.0.0.1'], 'wrong.test': ['127.0.0.1'] } });
    const session = open({ granted: { connect: [`tls.test:${server.port}`, `wrong.test:${server.port}`] } });
    const { socket } = await ask(session, connect('tls.test', server.port, 'on'));
    expect(await readText(session, socket)).toBe('name tls.test');
    expect(await refused(session, connect('wrong.test', server.port, 'on'))).toMatchObject({
      code: 'NETWORK_ERROR',
      details: { cause: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    });
    await ask(session, { op: 'socket.close', socket });
    await until(() => server.open.size === 0);
  });

  test('holds back a peer whose data nobody reads', async () => {
    const total = 8 * 1024 * 1024;
    const { port, open: sockets } = await tcpServer((socket) => void socket.end(Buffer.alloc(total)));
    const { open } = testBroker();
    const session = open({ granted: { connect: [`127.0.0.1:${port}`] } });
    const { socket } = await ask(session, connect('127.0.0.1', port));
    const [peer] = sockets;
    await ask(session, { op: 'socket.read', socket });
    expect(peer?.writableFinished).toBe(false);
    let read = 0;
    for (
      let chunk = await ask(session, { op: 'socket.read', socket });
      chunk !== null;
      chunk = await ask(session, { op: 'socket.read', socket })
    ) {
      expect(chunk.byteLength).toBeLessThanOrEqual(64 * 1024);
      // Memory of its own: nothing of the host's lies around it.
      expect(chunk.buffer.byteLength).toBe(chunk.byteLength);
      read += chunk.byteLength;
    }
    expect(read).toBeGreaterThan(total - 128 * 1024);
  });

  test('bounds how many are open at once, and counts those that were closed no more', async () => {
    const { port, open: sockets } = await tcpServer(() => {});
    const { open } = testBroker();
    const session = open({ granted: { connect: [`127.0.0.1:${port}`] } });
    const heads = await Promise.all(Array.from({ length: 64 }, () => ask(session, connect('127.0.0.1', port))));
    expect(await refused(session, connect('127.0.0.1', port))).toMatchObject({
      code: 'CONNECTOR_ERROR',
      message: expect.stringContaining('at most 64') as string,
    });
    for (const { socket } of heads) await ask(session, { op: 'socket.close', socket });
    await until(() => sockets.size === 0);
    expect(await ask(session, connect('127.0.0.1', port))).toMatchObject({ remoteAddress: `127.0.0.1:${port}` });
  });

  test('tells of a connection that breaks', async () => {
    const { port } = await tcpServer((socket) => void socket.once('data', () => socket.resetAndDestroy()));
    const { open, records } = testBroker();
    const session = open({ granted: { connect: [`127.0.0.1:${port}`] } });
    const { socket } = await ask(session, connect('127.0.0.1', port));
    await ask(session, { op: 'socket.write', socket, data: bytes('x') });
    expect(await refused(session, { op: 'socket.read', socket })).toMatchObject({
      code: 'NETWORK_ERROR',
      retryable: true,
    });
    await until(() => records.length === 1);
    expect(records[0]?.error?.code).toBe('NETWORK_ERROR');
  });
});

describe('starttls', () => {
  const greeter = (afterStart: string) =>
    tcpServer((socket) => {
      socket.write('220 ready\r\n');
      socket.once('data', () => {
        socket.write(`220 go ahead\r\n${afterStart}`);
        const secured = new TLSSocket(socket, { isServer: true, cert: CERT, key: KEY });
        secured.on('error', () => socket.destroy());
        secured.on('close', () => socket.destroy());
        secured.on('data', (data: Buffer) => secured.write(`secure ${data.toString()}`));
      });
    });

  test('continues the connection over TLS under a new number', async () => {
    const { port } = await greeter('');
    const { open, records } = testBroker({ names: { 'mail.test': ['127.0.0.1'] } });
    const session = open({ granted: { connect: [`mail.test:${port}`] } });
    const { socket } = await ask(session, connect('mail.test', port, 'starttls'));
    expect(await readText(session, socket)).toBe('220 ready\r\n');
    await ask(session, { op: 'socket.write', socket, data: bytes('STARTTLS\r\n') });
    expect(await readText(session, socket)).toBe('220 go ahead\r\n');
    // A read that is still waiting belongs to the plain connection, which ends here.
    const waiting = session.handle({ op: 'socket.read', socket });
    const { socket: secured } = await ask(session, { op: 'socket.starttls', socket, serverName: 'mail.test' });
    expect(await waiting).toEqual({ ok: true, value: null });
    await ask(session, { op: 'socket.write', socket: secured, data: bytes('hi') });
    expect(await readText(session, secured)).toBe('secure hi');
    for (const op of ['socket.read', 'socket.end'] as const)
      expect(await refused(session, { op, socket })).toMatchObject({ code: 'CONNECTOR_ERROR' });
    expect(await refused(session, { op: 'socket.starttls', socket: secured, serverName: null })).toMatchObject({
      code: 'CONNECTOR_ERROR',
    });
    session.close('ended');
    expect(records).toHaveLength(1);
  });

  test('refuses data that was sent in the clear before the handshake', async () => {
    // More than one read takes: whatever has arrived by then, some of it is still to come where TLS has to begin.
    const { port, open: sockets } = await greeter('250 injected\r\n'.repeat(20_000));
    const { open } = testBroker({ names: { 'mail.test': ['127.0.0.1'] } });
    const session = open({ granted: { connect: [`mail.test:${port}`] } });
    const { socket } = await ask(session, connect('mail.test', port, 'starttls'));
    await readText(session, socket);
    await ask(session, { op: 'socket.write', socket, data: bytes('STARTTLS\r\n') });
    await readText(session, socket);
    const error = await refused(session, { op: 'socket.starttls', socket, serverName: null });
    expect(['EGRESS_DENIED', 'NETWORK_ERROR']).toContain(error.code);
    await until(() => sockets.size === 0);
  });

  test('refuses to begin while unencrypted data lies unread', async () => {
    const { port, open: sockets } = await tcpServer((socket) => void socket.write('220 ready\r\n250 injected\r\n'));
    const { open } = testBroker();
    const session = open({ granted: { connect: [`127.0.0.1:${port}`] } });
    const { socket } = await ask(session, connect('127.0.0.1', port, 'starttls'));
    await until(() => [...sockets].some((peer) => peer.bytesWritten > 0 && peer.writableLength === 0));
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    expect(await refused(session, { op: 'socket.starttls', socket, serverName: null })).toMatchObject({
      code: 'EGRESS_DENIED',
      details: { rule: 'starttls-injection' },
    });
    await until(() => sockets.size === 0);
  });

  test('verifies the certificate, and closes the connection when it does not fit', async () => {
    const { port, open: sockets } = await greeter('');
    const { open } = testBroker({ names: { 'mail.test': ['127.0.0.1'] } });
    const session = open({ granted: { connect: [`mail.test:${port}`] } });
    const { socket } = await ask(session, connect('mail.test', port, 'starttls'));
    await readText(session, socket);
    await ask(session, { op: 'socket.write', socket, data: bytes('STARTTLS\r\n') });
    await readText(session, socket);
    expect(await refused(session, { op: 'socket.starttls', socket, serverName: 'elsewhere.test' })).toMatchObject({
      code: 'NETWORK_ERROR',
      details: { cause: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    });
    await until(() => sockets.size === 0);
  });

  test('is only there for connections that were opened for it', async () => {
    const { port } = await tcpServer(() => {});
    const { open } = testBroker();
    const session = open({ granted: { connect: [`127.0.0.1:${port}`] } });
    const { socket } = await ask(session, connect('127.0.0.1', port, 'off'));
    expect(await refused(session, { op: 'socket.starttls', socket, serverName: null })).toMatchObject({
      code: 'CONNECTOR_ERROR',
    });
  });
});

test('a connection whose other end is not the checked address is closed, even if the guard let it through', async () => {
  const { port, open: sockets } = await tcpServer(() => {});
  // Connecting to 0.0.0.0 ends at loopback.
  class CarelessGuard extends AddressGuard {
    override async addressesOf() {
      return [{ address: '0.0.0.0', family: 4 as const }];
    }
  }
  const dialer = new Dialer(new CarelessGuard(parseAllowPrivate('')), []);
  const host = { kind: 'name', host: 'name.test' } as const;
  const dialed = dialer.dial({ host, port, secure: false, allowHalfOpen: false }, new Fence(performance.now() + 5000));
  await expect(dialed).rejects.toMatchObject({
    data: { code: 'EGRESS_DENIED', details: { rule: 'address:unchecked' } },
  });
  await until(() => sockets.size === 0);
});
