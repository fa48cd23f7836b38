import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, startHost, type HostProcess } from '../support/host-process.ts';

let host: HostProcess;

beforeAll(async () => {
  host = await startHost();
});
afterAll(cleanUp);

/** Sends bytes as they are; gives all that comes back until the host closes. */
function sendRaw(text: string): Promise<string> {
  const { hostname, port } = new URL(host.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.on('end', () => resolve(answer)).on('error', reject);
  });
}

const LOCAL = 'Host: 127.0.0.1\r\nConnection: close\r\n';

describe('what is no request that the host understands gets a problem document with a trace id', () => {
  it.each([
    ['garbage', 'garbage\r\n\r\n', 400],
    ['no Host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['two Hosts, of which one is foreign', `GET /api/runs HTTP/1.1\r\n${LOCAL}host: evil.example\r\n\r\n`, 400],
    ['a foreign Host', 'GET /api/runs HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', 403],
    [
      'a name that only begins like loopback',
      'GET /api/runs HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\nConnection: close\r\n\r\n',
      403,
    ],
    ['the origin null', `GET /api/runs HTTP/1.1\r\n${LOCAL}Origin: null\r\n\r\n`, 403],
    [
      'a length and chunks',
      `POST /api/workflows HTTP/1.1\r\n${LOCAL}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a length that is too large', `POST /api/workflows HTTP/1.1\r\n${LOCAL}Content-Length: 99999999\r\n\r\n`, 413],
    ['a huge header', `GET /healthz HTTP/1.1\r\n${LOCAL}X: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ])('%s', async (_name, bytes, status) => {
    const answer = await sendRaw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toMatch(/^X-Trace-Id: [0-9a-f]{32}\r$/im);
    expect(answer).toMatch(/^Content-Type: application\/problem\+json/im);
  });
});

describe('a body', () => {
  it.each<[string, string | undefined, string | Uint8Array<ArrayBuffer>, number]>([
    ['without a type is JSON', undefined, '{"name":"w"}', 201],
    ['of the form type is JSON', 'application/x-www-form-urlencoded', '{"name":"w"}', 201],
    ['of a +json type is JSON', 'application/vnd.x+json', '{"name":"w"}', 201],
    ['of another type is refused', 'text/plain', '{"name":"w"}', 415],
    ['in another character set is refused', 'application/json; charset=latin1', '{"name":"w"}', 415],
    ['that is no JSON is refused', 'application/json', '{"name":', 400],
    ['that is no UTF-8 is refused', 'application/json', new Uint8Array([0x22, 0xff, 0x22]), 400],
    [
      'with a number that JSON numbers do not hold is refused',
      'application/json',
      '{"name":"w","retry":{"max_attempts":9007199254740993}}',
      400,
    ],
    ['deeper than 64 levels is refused', 'application/json', '['.repeat(65) + ']'.repeat(65), 400],
    ['over the limit is refused', 'application/json', JSON.stringify({ name: 'x'.repeat(1_100_000) }), 413],
  ])('%s', async (_name, type, body, status) => {
    // A Blob without a type sends none.
    const response = await fetch(`${host.url}/api/workflows`, {
      method: 'POST',
      body: new Blob([body]),
      ...(type === undefined ? {} : { headers: { 'content-type': type } }),
    });
    expect(response.status).toBe(status);
    expect(response.headers.get('x-trace-id')).toMatch(/^[0-9a-f]{32}$/);
    await response.body?.cancel();
  });
});

describe('traceparent', () => {
  const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
  it.each([
    [`00-${ID}-00f067aa0ba902b7-01`, true],
    [`cc-${ID}-00f067aa0ba902b7-01-later`, true],
    [`ff-${ID}-00f067aa0ba902b7-01`, false],
    [`00-${ID}-00f067aa0ba902b7-01-more`, false],
    [`00-${ID}-0000000000000000-01`, false],
    [`00-${ID.toUpperCase()}-00f067aa0ba902b7-01`, false],
    ['nonsense', false],
  ])('%s: continued %s', async (traceparent, continued) => {
    const answer = await host.request('GET', '/healthz', undefined, { traceparent });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-trace-id') === ID).toBe(continued);
  });
});

describe('methods', () => {
  it('HEAD answers like GET without a body, OPTIONS and 405 name what is allowed', async () => {
    const head = await fetch(`${host.url}/api/workflows`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const options = await host.request('OPTIONS', '/api/workflows');
    expect(options.status).toBe(204);
    const wrong = await host.request('DELETE', '/api/workflows');
    expect(wrong.status).toBe(405);
    for (const answer of [options, wrong]) expect(answer.headers.get('allow')).toBe('GET, HEAD, POST, OPTIONS');
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'limit=1&limit=2',
    'cursor=x',
    'status=done',
    'since=yesterday',
    'foo=1',
  ])('GET /api/runs?%s is refused', async (query) => {
    const answer = await host.request('GET', `/api/runs?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe(`/query/${query.split('=')[0]}`);
  });
});
