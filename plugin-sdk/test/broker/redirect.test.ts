import { describe, expect, test } from 'vitest';
import { ask, bodyText, fetchCall, header, httpServer, refused, testBroker, type TestServer } from './harness.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** `/to/<status>/<location>` redirects; anything else is echoed. */
async function redirector(): Promise<TestServer & { seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = await httpServer((request, response) => {
    const url = request.url ?? '';
    seen.push({ method: request.method ?? '', url, headers: request.headers as Seen['headers'], body: request.text });
    const match = /^\/to\/(\d+)\/(.*)$/.exec(url);
    if (match === null) {
      response.end(`at ${url}`);
      return;
    }
    response.statusCode = Number(match[1]);
    response.setHeader('location', decodeURIComponent(match[2] ?? ''));
    response.end('moved');
  });
  return { ...server, seen };
}

const to = (status: number, location: string) => `/to/${status}/${encodeURIComponent(location)}`;

describe('a redirect', () => {
  test('is followed, relative or absolute, and the answer says where it ended', async () => {
    const { port, seen } = await redirector();
    const { open, records } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${port}`] } });
    const head = await ask(session, fetchCall(`http://127.0.0.1:${port}${to(302, '../../end?x#y')}`));
    expect(head).toMatchObject({ status: 200, redirected: true, url: `http://127.0.0.1:${port}/end?x` });
    expect(await bodyText(session, head)).toBe('at /end?x');
    expect(seen).toHaveLength(2);
    expect(records.map(({ status }) => status)).toEqual([302, 200]);
  });

  test.each([
    ['a host without a grant', 'http://elsewhere.test/', { host: 'elsewhere.test', rule: 'not-granted' }],
    ['a private address', 'http://10.0.0.1:8080/', { host: '10.0.0.1', rule: 'address:private' }],
    ['metadata in decimal', 'http://2852039166:8080/', { host: '169.254.169.254', rule: 'address:link-local' }],
    [
      'a name that resolves to a private address',
      'http://inside.test:8080/',
      { host: 'inside.test', rule: 'address:private' },
    ],
    ['another port', 'http://127.0.0.1:1/', { host: '127.0.0.1', rule: 'not-granted' }],
    ['another scheme', 'ftp://127.0.0.1/', { host: '127.0.0.1', rule: 'scheme' }],
    ['a file', 'file:///etc/passwd', { rule: 'scheme' }],
    ['a user name', 'http://granted@10.0.0.1:8080/', { host: '10.0.0.1', rule: 'userinfo' }],
  ])('to %s is refused', async (_what, location, details) => {
    const { port, seen } = await redirector();
    const { open } = testBroker({ names: { 'inside.test': ['10.0.0.1'] } });
    const session = open({
      granted: { net: [`127.0.0.1:${port}`, '10.0.0.1:8080', '169.254.169.254:8080', 'inside.test:8080'] },
    });
    for (const status of [301, 302, 303, 307, 308])
      expect(await refused(session, fetchCall(`http://127.0.0.1:${port}${to(status, location)}`))).toMatchObject({
        code: 'EGRESS_DENIED',
        details,
      });
    expect(seen).toHaveLength(5);
  });

  test('to another origin loses credentials, one within the origin keeps them', async () => {
    const first = await redirector();
    const second = await redirector();
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`] } });
    const headers = [
      ['Authorization', 'Bearer x'],
      ['Cookie', 'a=b'],
      ['X-Other', 'stays'],
    ] as const;
    await ask(session, fetchCall(`http://127.0.0.1:${first.port}${to(302, '/same')}`, { headers }));
    expect(first.seen[1]?.headers).toMatchObject({ authorization: 'Bearer x', cookie: 'a=b', 'x-other': 'stays' });
    await ask(
      session,
      fetchCall(`http://127.0.0.1:${first.port}${to(302, `http://127.0.0.1:${second.port}/other`)}`, { headers }),
    );
    expect(second.seen[0]?.headers).toMatchObject({ 'x-other': 'stays' });
    expect(second.seen[0]?.headers.authorization).toBeUndefined();
    expect(second.seen[0]?.headers.cookie).toBeUndefined();
  });

  test('to another origin loses every header that held a secret, and never takes along a body that did', async () => {
    const first = await redirector();
    const second = await redirector();
    const { open } = testBroker();
    const session = open({
      granted: { net: [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`] },
      credential: { api_key: 'the-real-secret' },
      credentialSchema: { properties: { api_key: { writeOnly: true } } },
    });
    const { api_key: token } = session.credential as { api_key: string };
    const other = `http://127.0.0.1:${second.port}/other`;
    await ask(
      session,
      fetchCall(`http://127.0.0.1:${first.port}${to(307, other)}`, {
        headers: [
          ['X-Api-Key', token],
          ['X-Other', 'stays'],
        ],
      }),
    );
    expect(first.seen[0]?.headers['x-api-key']).toBe('the-real-secret');
    expect(second.seen[0]?.headers).toMatchObject({ 'x-other': 'stays' });
    expect(second.seen[0]?.headers['x-api-key']).toBeUndefined();

    const post = { method: 'POST', body: `key=${token}` };
    expect(await refused(session, fetchCall(`http://127.0.0.1:${first.port}${to(307, other)}`, post))).toMatchObject({
      code: 'EGRESS_DENIED',
      details: { rule: 'redirect' },
    });
    expect(second.seen).toHaveLength(1);
    await ask(session, fetchCall(`http://127.0.0.1:${first.port}${to(303, other)}`, post));
    expect(second.seen[1]).toMatchObject({ method: 'GET', body: '' });
    expect(JSON.stringify(second.seen)).not.toContain('the-real-secret');
  });

  test.each([
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [303, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [307, 'POST', 'POST', 'data'],
    [308, 'PUT', 'PUT', 'data'],
    [301, 'PUT', 'PUT', 'data'],
  ])('with %i changes %s to %s', async (status, method, then, body) => {
    const { port, seen } = await redirector();
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${port}`] } });
    await ask(
      session,
      fetchCall(`http://127.0.0.1:${port}${to(status, '/end')}`, {
        method,
        body: 'data',
        headers: [['content-type', 'text/plain']],
      }),
    );
    expect(seen[1]).toMatchObject({ method: then, body });
    expect(seen[1]?.headers['content-type']).toBe(body === '' ? undefined : 'text/plain');
  });

  test('is answered as it is when the connector asked for that, and an error when it asked for none', async () => {
    const { port, seen } = await redirector();
    const { open } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${port}`] } });
    const url = `http://127.0.0.1:${port}${to(302, '/end')}`;
    const head = await ask(session, fetchCall(url, { redirect: 'manual' }));
    expect(head.status).toBe(302);
    expect(header(head, 'location')).toBe('/end');
    expect(await refused(session, fetchCall(url, { redirect: 'error' }))).toMatchObject({
      code: 'NETWORK_ERROR',
      retryable: false,
    });
    expect(seen).toHaveLength(2);
  });

  test('that leads in circles ends after ten, over one connection', async () => {
    const server = await httpServer((_request, response) => {
      response.statusCode = 302;
      response.setHeader('location', '/again').end('x'.repeat(1000));
    });
    const { open, records } = testBroker();
    const session = open({ granted: { net: [`127.0.0.1:${server.port}`] } });
    expect(await refused(session, fetchCall(`http://127.0.0.1:${server.port}/`))).toMatchObject({
      code: 'NETWORK_ERROR',
      message: expect.stringContaining('more than 10') as string,
    });
    expect(records).toHaveLength(11);
  });
});
