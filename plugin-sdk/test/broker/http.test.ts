import { createServer as createTlsServer } from 'node:https';
import { performance } from 'node:perf_hooks';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { MAX_RESPONSE_BYTES } from '../../src/contract/index.ts';
import {
  ask,
  bodyBytes,
  bodyText,
  CERT,
  fetchCall,
  header,
  httpServer,
  KEY,
  listening,
  refused,
  tcpServer,
  testBroker,
  TRACEPARENT,
  until,
} from './harness.ts';

const echo = () =>
  httpServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body: request.text }),
    );
  });

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

describe('fetch', () => {
  test('sends method, path, headers and body, and answers a short body with the head', async () => {
    const { port } = await echo();
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${port}`] } });
    const head = await ask(
      session,
      fetchCall(`http://127.0.0.1:${port}/a/b?c=d#e`, { method: 'post', headers: [['X-Thing', 'one']], body: 'hello' }),
    );
    expect(head).toMatchObject({ status: 200, redirected: false, body: null, url: `http://127.0.0.1:${port}/a/b?c=d` });
    const seen = JSON.parse(Buffer.from(head.bytes ?? []).toString()) as Echo;
    expect(seen).toMatchObject({ method: 'POST', url: '/a/b?c=d', body: 'hello' });
    expect(seen.headers).toMatchObject({
      'x-thing': 'one',
      traceparent: TRACEPARENT,
      'accept-encoding': 'gzip, deflate, br, zstd',
    });
  });

  test('leaves out headers that belong to the connection, and keeps the trace context its own', async () => {
    const { port } = await echo();
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${port}`] } });
    const names = [
      'Connection',
      'Host',
      'Content-Length',
      'Transfer-Encoding',
      'Upgrade',
      'Proxy-Authorization',
      'TE',
      'Trailer',
      'Keep-Alive',
      'Expect',
      'Via',
      'Sec-Fetch-Mode',
    ];
    const headers = [
      ...names.map((name) => [name, '7'] as const),
      ['traceparent', '00-11111111111111111111111111111111-1111111111111111-01'] as const,
    ];
    const head = await ask(session, fetchCall(`http://127.0.0.1:${port}/`, { headers }));
    const seen = JSON.parse(await bodyText(session, head)) as Echo;
    expect(seen.headers).toEqual({
      host: `127.0.0.1:${port}`,
      connection: 'keep-alive',
      accept: '*/*',
      'user-agent': 'GoFlow',
      'accept-encoding': 'gzip, deflate, br, zstd',
      traceparent: TRACEPARENT,
    });
  });

  test.each([
    [{ headers: [['x', 'a\r\nhost: evil']] }, 'header'],
    [{ headers: [['x', 'a\nb']] }, 'header'],
    [{ headers: [['x', 'a\u0000b']] }, 'header'],
    [{ headers: [['x', '\u{1F600}']] }, 'header'],
    [{ headers: [['x: y\r\nz', 'a']] }, 'header name'],
    [{ headers: [['', 'a']] }, 'header name'],
    [{ method: 'GET / HTTP/1.1\r\nx: y' }, 'method'],
    [{ method: 'CONNECT' }, 'method'],
    [{ method: 'trace' }, 'method'],
    [{ method: 'GET', body: 'x' }, 'no body'],
    [{ headers: Array.from({ length: 300 }, (_, index) => [`x-${index}`, '1']) }, 'at most 256'],
  ] as const)('refuses what could break a request: %j', async (request, why) => {
    const server = await echo();
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${server.port}`] } });
    const error = await refused(session, fetchCall(`http://127.0.0.1:${server.port}/`, request as never));
    expect(error.code).toBe('CONNECTOR_ERROR');
    expect(error.message).toContain(why);
    expect(server.counts.connections).toBe(0);
  });

  test('refuses a host without a grant before any look-up, and names it', async () => {
    const { open, resolved, records } = testBroker({ names: { 'other.test': ['127.0.0.1'] } });
    const session = open({ granted: { net: ['api.test:80', '*.wild.test:80'] } });
    for (const host of ['other.test', 'wild.test', 'xapi.test', 'api.test.other.test', 'xwild.test'])
      expect(await refused(session, fetchCall(`http://${host}/`))).toMatchObject({
        code: 'EGRESS_DENIED',
        retryable: false,
        details: { host, rule: 'not-granted' },
        message: expect.stringContaining(host) as string,
      });
    expect(await refused(session, fetchCall('http://api.test:81/'))).toMatchObject({
      code: 'EGRESS_DENIED',
      message: expect.stringContaining('port 80') as string,
    });
    expect(resolved).toEqual([]);
    expect(records).toHaveLength(6);
    expect(records[0]).toMatchObject({
      host: 'other.test',
      port: 80,
      address: null,
      rule: 'not-granted',
      error: { code: 'EGRESS_DENIED' },
    });
  });

  test('means https on 443 by a grant without a port', async () => {
    const { open, resolved } = testBroker();
    const session = open({ granted: { net: ['api.test'] } });
    expect(await refused(session, fetchCall('http://api.test/'))).toMatchObject({ code: 'EGRESS_DENIED' });
    expect(await refused(session, fetchCall('http://api.test:443/'))).toMatchObject({ code: 'EGRESS_DENIED' });
    expect(await refused(session, fetchCall('https://api.test:8443/'))).toMatchObject({ code: 'EGRESS_DENIED' });
    expect(resolved).toEqual([]);
    expect(await refused(session, fetchCall('https://API.test./'))).toMatchObject({ code: 'NETWORK_ERROR' });
    expect(resolved).toEqual(['api.test']);
  });

  test.each([
    'ftp://api.test/',
    'file:///etc/passwd',
    'data:text/plain,x',
    'blob:x',
    'ws://api.test/',
    'gopher://api.test:70/',
  ])('speaks no %s', async (url) => {
    const { open } = testBroker();
    expect(await refused(open({ granted: { net: ['api.test:70'] } }), fetchCall(url))).toMatchObject({
      code: 'EGRESS_DENIED',
    });
  });

  test('takes a host of the credential for granted when the permission names it', async () => {
    const { port } = await echo();
    const { open } = testBroker();
    const granted = { net: ['{{credential.host}}:{{credential.port}}'] };
    const session = open({ granted, credential: { host: '127.0.0.1', port }, credentialSchema: {} });
    expect(await ask(session, fetchCall(`http://127.0.0.1:${port}/`))).toMatchObject({ status: 200 });
    const other = open({ granted, credential: { host: 'other.test', port }, credentialSchema: {} });
    expect(await refused(other, fetchCall(`http://127.0.0.1:${port}/`))).toMatchObject({ code: 'EGRESS_DENIED' });
    const none = open({ granted });
    expect(await refused(none, fetchCall(`http://127.0.0.1:${port}/`))).toMatchObject({ code: 'EGRESS_DENIED' });
  });

  test('opens a private address only on the ports that the operator named', async () => {
    const { port } = await echo();
    const granted = { net: [`127.0.0.1:${port}`, `name.test:${port}`] };
    for (const allow of [`127.0.0.1:${port}`, '127.0.0.0/8', `127.0.0.0/8:${port}`, `name.test:${port}`]) {
      const { open } = testBroker({ allow, names: { 'name.test': ['127.0.0.1'] } });
      expect(await ask(open({ granted }), fetchCall(`http://127.0.0.1:${port}/`)), allow).toMatchObject({
        status: 200,
      });
      expect(await ask(open({ granted }), fetchCall(`http://name.test:${port}/`)), allow).toMatchObject({
        status: 200,
      });
    }
    for (const allow of ['', `127.0.0.1:${port + 1}`, '10.0.0.0/8', `127.0.0.0/8:${port + 1}`, `127.0.0.2:${port}`]) {
      const { open } = testBroker({ allow, names: { 'name.test': ['127.0.0.1'] } });
      for (const host of ['127.0.0.1', 'name.test'])
        expect(await refused(open({ granted }), fetchCall(`http://${host}:${port}/`)), allow).toMatchObject({
          code: 'EGRESS_DENIED',
          details: { host, rule: 'address:loopback' },
        });
    }
  });

  test('does not open cloud metadata through a name that the operator opened', async () => {
    const { open } = testBroker({
      allow: 'name.test:80',
      names: { 'name.test': ['169.254.169.254', 'fd00:ec2::254'] },
    });
    expect(await refused(open({ granted: { net: ['name.test:80'] } }), fetchCall('http://name.test/'))).toMatchObject({
      code: 'EGRESS_DENIED',
    });
  });

  test('connects only to the address that it checked when the name resolves differently a moment later', async () => {
    const inside = await echo();
    const { open, resolved } = testBroker({ allow: '', names: { 'rebind.test': [['192.0.2.1'], ['127.0.0.1']] } });
    const session = open({ granted: { net: [`rebind.test:${inside.port}`] } });
    for (let attempt = 0; attempt < 3; attempt++)
      expect(await refused(session, fetchCall(`http://rebind.test:${inside.port}/`))).toMatchObject({
        code: 'EGRESS_DENIED',
      });
    expect(resolved).toHaveLength(3);
    expect(inside.counts.connections).toBe(0);
  });

  test('passes over the addresses of a mixed answer that are not open', async () => {
    const { port, counts } = await echo();
    const { open, records } = testBroker({
      allow: `127.0.0.1:${port}`,
      names: { 'mixed.test': ['10.1.2.3', '::1', '127.0.0.1'] },
    });
    const session = open({ granted: { net: [`mixed.test:${port}`] } });
    expect(await ask(session, fetchCall(`http://mixed.test:${port}/`))).toMatchObject({ status: 200 });
    expect(counts.connections).toBe(1);
    expect(records).toMatchObject([
      { host: 'mixed.test', address: '127.0.0.1', rule: `mixed.test:${port}`, status: 200, error: null },
    ]);
  });

  test('uses a connection again, and checks the grant of each request all the same', async () => {
    const { port, counts } = await echo();
    const { open } = testBroker();
    for (let request = 0; request < 4; request++) {
      const session = open({ granted: { net: [`127.0.0.1:${port}`] } });
      await ask(session, fetchCall(`http://127.0.0.1:${port}/`));
      session.close('ended');
    }
    expect(counts.connections).toBe(1);
    expect(await refused(open(), fetchCall(`http://127.0.0.1:${port}/`))).toMatchObject({ code: 'EGRESS_DENIED' });
  });

  test('sends again over a new connection when the kept one was closed by the server', async () => {
    const server = await echo();
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${server.port}`] } });
    for (const method of ['GET', 'POST', 'GET', 'POST']) {
      expect(await ask(session, fetchCall(`http://127.0.0.1:${server.port}/`, { method }))).toMatchObject({
        status: 200,
      });
      for (const socket of server.open) socket.destroy();
      await until(() => server.open.size === 0);
    }
  });

  test('verifies certificates against the host that was asked for', async () => {
    const server = await listening(
      createTlsServer({ cert: CERT, key: KEY }, (_request, response) => response.end('secure')),
    );
    const names = { 'tls.test': ['127.0.0.1'], 'wrong.test': ['127.0.0.1'] };
    const granted = { net: ['tls.test', 'wrong.test', '127.0.0.1'].map((host) => `${host}:${server.port}`) };
    const trusting = testBroker({ names }).open({ granted });
    for (const host of ['tls.test', '127.0.0.1']) {
      const head = await ask(trusting, fetchCall(`https://${host}:${server.port}/`));
      expect(await bodyText(trusting, head)).toBe('secure');
    }
    expect(await refused(trusting, fetchCall(`https://wrong.test:${server.port}/`))).toMatchObject({
      code: 'NETWORK_ERROR',
      retryable: true,
      message: `wrong.test:${server.port} showed a TLS certificate for another name`,
    });
    const wary = testBroker({ names, ca: [] }).open({ granted });
    expect(await refused(wary, fetchCall(`https://tls.test:${server.port}/`))).toMatchObject({
      code: 'NETWORK_ERROR',
      details: { cause: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
  });

  test('says what went wrong in the network', async () => {
    const broken = await tcpServer((socket) => socket.once('data', () => socket.destroy()));
    const strange = await tcpServer((socket) => socket.once('data', () => socket.end('SSH-2.0-x\r\n\r\n')));
    const short = await tcpServer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc')),
    );
    const { open } = testBroker();
    const granted = {
      net: ['nowhere.test:80', ...[1, broken.port, strange.port, short.port].map((port) => `127.0.0.1:${port}`)],
    };
    const session = open({ granted });
    const message = async (url: string) => {
      const error = await refused(session, fetchCall(url));
      expect(error).toMatchObject({ code: 'NETWORK_ERROR', retryable: true });
      return error.message;
    };
    expect(await message('http://nowhere.test/')).toBe('nowhere.test has no address: the name does not exist');
    expect(await message('http://127.0.0.1:1/')).toBe('127.0.0.1:1 refused the connection');
    expect(await message(`http://127.0.0.1:${broken.port}/`)).toContain('closed the connection');
    expect(await message(`http://127.0.0.1:${strange.port}/`)).toContain('not HTTP');
    const head = await ask(session, fetchCall(`http://127.0.0.1:${short.port}/`));
    expect(await refused(session, { op: 'body.read', body: head.body })).toMatchObject({ code: 'NETWORK_ERROR' });
  });
});

describe('answer bodies', () => {
  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['gzip, br', (data: Buffer) => brotliCompressSync(gzipSync(data))],
    ['unheard-of', (data: Buffer) => data],
    ['', (data: Buffer) => data],
  ] as const)('are decompressed: %s', async (coding, compress) => {
    const text = 'abc '.repeat(50_000);
    const { port } = await httpServer((_request, response) => {
      if (coding !== '') response.setHeader('content-encoding', coding);
      response.end(compress(Buffer.from(text)));
    });
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${port}`] } });
    const head = await ask(session, fetchCall(`http://127.0.0.1:${port}/`));
    expect(await bodyText(session, head)).toBe(text);
  });

  test('that are not what they say break with a reason', async () => {
    const { port } = await httpServer((_request, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.end('this is no gzip');
    });
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${port}`] } });
    const head = await ask(session, fetchCall(`http://127.0.0.1:${port}/`));
    expect(await refused(session, { op: 'body.read', body: head.body })).toMatchObject({
      code: 'NETWORK_ERROR',
      message: expect.stringContaining('decompressed') as string,
    });
  });

  test('that blow up when decompressed are cut off at the limit, and their connection is closed', async () => {
    const bomb = gzipSync(Buffer.alloc(MAX_RESPONSE_BYTES + 1024 * 1024));
    const server = await httpServer((_request, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.write(bomb);
    });
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${server.port}`] } });
    const head = await ask(session, fetchCall(`http://127.0.0.1:${server.port}/`));
    await expect(bodyBytes(session, head)).rejects.toThrow(/larger than 50 MB/);
    await until(() => server.open.size === 0);
  });

  test('that are announced as too large are refused at once', async () => {
    const server = await httpServer((_request, response) => {
      response.setHeader('content-length', MAX_RESPONSE_BYTES + 1);
      response.write('x');
    });
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${server.port}`] } });
    expect(await refused(session, fetchCall(`http://127.0.0.1:${server.port}/`))).toMatchObject({
      code: 'NETWORK_ERROR',
      retryable: false,
    });
    await until(() => server.open.size === 0);
  });

  test('wait for a slow reader instead of filling memory', async () => {
    const total = 16 * 1024 * 1024;
    let finished = false;
    const { port, open: sockets } = await httpServer((_request, response) => {
      response.end(Buffer.alloc(total, 'x'), () => {
        finished = true;
      });
    });
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${port}`] } });
    const head = await ask(session, fetchCall(`http://127.0.0.1:${port}/`));
    const [socket] = sockets;
    // The server cannot get rid of the rest: its own buffer stays full.
    await until(() => (socket?.writableLength ?? 0) > 0);
    const before = socket?.writableLength;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(socket?.writableLength).toBe(before);
    expect(finished).toBe(false);
    expect(await bodyBytes(session, head)).toHaveLength(total);
  });

  test('come chunk by chunk as the server sends them', async () => {
    const steps = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
    const { port } = await httpServer((_request, response) => {
      response.write('one');
      void steps[0]?.promise.then(() => response.write('two'));
      void steps[1]?.promise.then(() => response.end('three'));
    });
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${port}`] } });
    const head = await ask(session, fetchCall(`http://127.0.0.1:${port}/`));
    const body = head.body ?? -1;
    const next = async () => Buffer.from((await ask(session, { op: 'body.read', body })) ?? []).toString();
    expect(await next()).toBe('one');
    steps[0]?.resolve();
    expect(await next()).toBe('two');
    steps[1]?.resolve();
    expect(await next()).toBe('three');
    expect(await ask(session, { op: 'body.read', body })).toBeNull();
  });

  test('that are cancelled close their connection', async () => {
    const server = await httpServer((_request, response) => void response.write('endless'));
    const { open, records } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${server.port}`] } });
    const head = await ask(session, fetchCall(`http://127.0.0.1:${server.port}/`));
    await ask(session, { op: 'body.cancel', body: head.body ?? -1 });
    await until(() => server.open.size === 0);
    expect(records).toHaveLength(1);
  });

  test('belong to one reader at a time, and to their own session', async () => {
    const { port } = await httpServer((_request, response) => void response.write('endless'));
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${port}`] } });
    const head = await ask(session, fetchCall(`http://127.0.0.1:${port}/`));
    const body = head.body ?? -1;
    await ask(session, { op: 'body.read', body });
    const waiting = session.handle({ op: 'body.read', body });
    expect(await refused(session, { op: 'body.read', body })).toMatchObject({ code: 'CONNECTOR_ERROR' });
    expect(await ask(open(), { op: 'body.read', body })).toBeNull();
    session.close('cancelled');
    expect(await waiting).toMatchObject({ ok: false, error: { code: 'CANCELLED' } });
  });

  test('do not exist for HEAD, 204 and 304', async () => {
    const { port } = await httpServer((request, response) => {
      response.statusCode = Number(request.url?.slice(1));
      response.end();
    });
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${port}`] } });
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 304],
    ] as const)
      expect(await ask(session, fetchCall(`http://127.0.0.1:${port}/${status}`, { method }))).toMatchObject({
        status,
        bytes: null,
        body: null,
      });
  });

  test('keep several set-cookie headers apart', async () => {
    const { port } = await httpServer((_request, response) => response.setHeader('set-cookie', ['a=1', 'b=2']).end());
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${port}`] } });
    const head = await ask(session, fetchCall(`http://127.0.0.1:${port}/`));
    expect(head.headers.filter(([name]) => name === 'set-cookie')).toEqual([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ]);
    expect(header(head, 'content-length')).toBe('0');
  });
});

test('a request after the deadline is refused although nobody closed the session', async () => {
  const { port } = await echo();
  const { open } = testBroker();
  const session = open({ granted: { net: [`127.0.0.1:${port}`] }, deadline: performance.now() - 1 });
  expect(await refused(session, fetchCall(`http://127.0.0.1:${port}/`))).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
});
