import { describe, expect, test } from 'vitest';
import { readToEnd, startHost, until } from './harness.ts';

const PATH = '/api/workflows/wf_1/trigger';
const head = (lines: string[]): string =>
  `${[`POST ${PATH} HTTP/1.1`, 'Host: localhost', ...lines].join('\r\n')}\r\n\r\n`;

describe('bytes that are not HTTP', () => {
  test.each([
    ['garbage', 'not http at all\r\n\r\n', 400],
    ['a TLS hello', Buffer.from('16030100', 'hex'), 400],
    ['no Host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['two lengths', head(['Content-Length: 2', 'Content-Length: 3']), 400],
    ['a length and chunks', head(['Content-Length: 2', 'Transfer-Encoding: chunked']), 400],
    ['a length that is no number', head(['Content-Length: two']), 400],
    ['a negative length', head(['Content-Length: -1']), 400],
    ['a broken chunk', `${head(['Transfer-Encoding: chunked'])}zz\r\n`, 400],
    ['a NUL in a header', head(['X-A: \0']), 400],
    ['headers of 20 kB', head([`X-A: ${'x'.repeat(20_000)}`]), 431],
    ['a path of 20 kB', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431],
  ])('%s: answered with a problem document, connection closed', async (_name, bytes, status) => {
    const host = await startHost();
    const text = await host.raw(bytes);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const [headers, body] = text.split('\r\n\r\n') as [string, string];
    const problem = JSON.parse(body) as { status: number; trace_id: string };
    expect(problem.status).toBe(status);
    expect(headers).toContain(`X-Trace-Id: ${problem.trace_id}`);
  });

  test('without end: the answer reaches whoever is still sending', async () => {
    const host = await startHost();
    const text = await host.raw(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ${'x'.repeat(3_000_000)}\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1.1 431 /);
    expect(host.logs.filter((line) => line['msg'] === 'request refused').length).toBe(1);
  });

  test('behind a good request: that one is answered first', async () => {
    const host = await startHost();
    const text = await host.raw('GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\nGARBAGE\r\n\r\n');
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]);
    expect(statuses).toEqual(['200', '400']);
  });

  test('leave the host as it was', async () => {
    const host = await startHost();
    await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        host.raw(Buffer.from(Array.from({ length: 200 }, (_, j) => (i * 31 + j * 17) % 256))),
      ),
    );
    expect((await host.send('GET', '/healthz')).status).toBe(200);
  });
});

describe('pipelined requests', () => {
  test('are answered in order', async () => {
    const host = await startHost();
    const one = (path: string, rest = ''): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${rest}\r\n`;
    const text = await host.raw(
      one('/readyz') + one('/api/nothing') + one('http://localhost/healthz?x', 'Connection: close\r\n'),
    );
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual(['200', '404', '200']);
  });
});

describe('a body', () => {
  test('that says to be too large is refused before it is sent', async () => {
    const host = await startHost({ maxBody: 1000 });
    const socket = await host.socket();
    socket.write(head(['Content-Length: 1001', 'Expect: 100-continue']));
    const text = await readToEnd(socket);
    expect(text).toMatch(/^HTTP\/1.1 413 /);
    expect(text).not.toContain('100 Continue');
  });

  test('that is asked for is sent after 100 Continue', async () => {
    const host = await startHost();
    const socket = await host.socket();
    socket.write(head(['Content-Length: 2', 'Expect: 100-continue', 'Connection: close']));
    socket.once('data', () => socket.write('{}'));
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 202 /);
  });

  test('that grows too large on the way is refused, and its client can read the answer', async () => {
    const host = await startHost({ maxBody: 1000 });
    const socket = await host.socket();
    const answer = readToEnd(socket);
    socket.write(head(['Transfer-Encoding: chunked', 'Connection: close']));
    for (let i = 0; i < 20; i++) socket.write(`64\r\n${'x'.repeat(100)}\r\n`);
    socket.write('0\r\n\r\n');
    expect(await answer).toMatch(/^HTTP\/1.1 413 /);
  });

  test('of 2 MB against a limit of 1 MB gets 413 over an ordinary client', async () => {
    const host = await startHost();
    const answer = await host.send('POST', PATH, { body: JSON.stringify({ a: 'x'.repeat(2_000_000) }) });
    expect([answer.status, answer.json.code]).toEqual([413, 'BODY_TOO_LARGE']);
  });

  test('that ends early is nobody’s error', async () => {
    const host = await startHost();
    const socket = await host.socket();
    socket.write(`${head(['Content-Length: 100'])}{"par`);
    await until(() => socket.bytesWritten > 0);
    socket.destroy();
    await until(() => host.logs.some((line) => line['client_gone'] === true));
    expect(host.logs.filter((line) => line['level'] === 'error')).toEqual([]);
    expect(host.triggers).toEqual([]);
  });

  test('of 200,000 nested lists is refused quickly', async () => {
    const host = await startHost();
    const answer = await host.send('POST', PATH, { body: `{"parameters":${'['.repeat(200_000)}` });
    expect([answer.status, answer.json.code]).toEqual([400, 'BODY_TOO_DEEP']);
  });
});

describe('slow clients', () => {
  const limits = { headersMs: 150, requestMs: 300, checkMs: 50 };

  test('that dribble headers are cut off', async () => {
    const host = await startHost({ limits });
    const socket = await host.socket();
    socket.write('GET /healthz HTTP/1.1\r\nHost: loc');
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1.1 408 /);
  });

  test('that send nothing are cut off', async () => {
    const host = await startHost({ limits });
    await readToEnd(await host.socket());
  });

  test('that dribble a body are cut off with 408', async () => {
    const host = await startHost({ limits });
    const socket = await host.socket();
    socket.write(`${head(['Content-Length: 100'])}{`);
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1.1 408 /);
    expect(host.triggers).toEqual([]);
  });

  test('do not keep others waiting', async () => {
    const host = await startHost();
    const slow = await Promise.all(Array.from({ length: 100 }, () => host.socket()));
    for (const socket of slow) socket.on('error', () => {}).write('GET / HTTP/1.1\r\nX');
    expect((await host.send('GET', '/healthz')).status).toBe(200);
    for (const socket of slow) socket.destroy();
  });
});

describe('a server that closes', () => {
  test('ends idle connections at once and lets a request in flight finish', async () => {
    let finish: (() => void) | undefined;
    const host = await startHost({
      services: { store: { ping: () => new Promise<void>((resolve) => (finish = resolve)) } as never },
    });
    const idle = await host.socket();
    const idleClosed = readToEnd(idle);
    const answer = host.send('GET', '/readyz', { headers: { connection: 'keep-alive' } });
    await until(() => finish !== undefined);
    const closed = host.server.close(10_000);
    await idleClosed;
    finish?.();
    expect((await answer).status).toBe(200);
    await closed;
  });

  test('cuts off what does not finish in time', async () => {
    let asked = false;
    const ping = (): Promise<void> => {
      asked = true;
      return new Promise(() => {});
    };
    const host = await startHost({ services: { store: { ping } as never } });
    const answer = host.send('GET', '/readyz').catch((error: NodeJS.ErrnoException) => error.code);
    await until(() => asked);
    await host.server.close(50);
    expect(await answer).toBe('ECONNRESET');
  });

  test('that cannot have its port says so and what to do', async () => {
    const host = await startHost();
    const { createHttpApp } = await import('../../src/http/app.ts');
    const { startServer } = await import('../../src/http/server.ts');
    const app = createHttpApp({ log: null, auth: {}, config: {} } as never);
    await expect(startServer({ host: '127.0.0.1', port: host.port, app, log: null as never })).rejects.toThrow(
      /GOFLOW_PORT/,
    );
  });
});
