import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { JsonObject } from '@goflow/plugin-sdk/contract';
import { type ActionOutcome, type OpenConnector, openConnector } from '@goflow/plugin-sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const PAGES: Readonly<Record<string, readonly [type: string, body: string | Buffer, status?: number]>> = {
  '/json': ['application/json', '{"a":[1]}'],
  '/problem': ['application/problem+json', '{"title":"no"}', 404],
  '/text': ['text/plain; charset=utf-8', 'Grüße'],
  '/latin': ['text/plain; charset=iso-8859-1', Buffer.from([0xe4])],
  '/bytes': ['image/png', Buffer.from([0x89, 0x50, 0, 255])],
  '/broken': ['application/json', '{"a":'],
  '/empty': ['application/json', ''],
  '/down': ['text/plain', 'later', 503],
  '/large': ['text/plain', 'x'.repeat(5 * 1024 * 1024)],
};

const seen: Seen[] = [];
const server = createServer((request, response) => void answer(request, response));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url, headers } = request;
  seen.push({ method, url, headers, body: await buffer(request) });
  const [type, page, status = 200] = PAGES[(url ?? '').split('?')[0] ?? ''] ?? ['application/json', '{"ok":true}'];
  response.writeHead(status, { 'content-type': type, 'set-cookie': ['a=1', 'b=2'] }).end(page);
}

let connector: OpenConnector;
let port = 0;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  connector = await openConnector({ dir: new URL('..', import.meta.url), allowPrivate: [`127.0.0.1:${port}`] });
});
afterAll(async () => {
  await connector.close();
  server.close();
});

async function request(
  input: JsonObject,
  credential: JsonObject = {},
): Promise<{ outcome: ActionOutcome; got: Seen | undefined }> {
  const before = seen.length;
  const outcome = await connector.run(
    'http_request',
    { ...input, url: (input['url'] as string).replace('LOCAL', `http://127.0.0.1:${port}`) },
    { credential: { host: '127.0.0.1', port, ...credential } },
  );
  return { outcome, got: seen[before] };
}

describe('http_request', () => {
  it.each([
    ['/json', { status: 200, body: { a: [1] } }],
    ['/problem', { status: 404, body: { title: 'no' } }],
    ['/text', { status: 200, body: 'Grüße' }],
    ['/bytes', { status: 200, body: { base64: 'iVAA/w==' } }],
    ['/empty', { status: 200, body: null }],
    ['/down', { status: 503, body: 'later' }],
  ])('reads %s', async (path, output) => {
    const { outcome } = await request({ url: `LOCAL${path}` });
    expect(outcome).toMatchObject({ status: 'succeeded', output });
  });

  it('gives the headers, cookies one by one', async () => {
    const { outcome } = await request({ url: 'LOCAL/json' });
    expect(outcome).toMatchObject({
      output: { headers: { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] } },
    });
  });

  it('sends JSON, with headers and query', async () => {
    const { got } = await request({
      method: 'put',
      url: 'LOCAL/x?a=1',
      json: { é: [1] },
      headers: { 'X-Id': '7' },
      query: { b: 'x y', c: [1, true], d: null },
    });
    expect(got).toMatchObject({
      method: 'PUT',
      url: '/x?a=1&b=x+y&c=1&c=true',
      headers: { 'content-type': 'application/json', 'x-id': '7' },
    });
    expect(JSON.parse(String(got?.body))).toEqual({ é: [1] });
    expect(got?.headers['traceparent']).toMatch(/^00-/);
  });

  it('sends text and bytes', async () => {
    const text = await request({ url: 'LOCAL/x', text: 'Grüße' });
    expect(text.got).toMatchObject({ method: 'POST', headers: { 'content-type': 'text/plain;charset=UTF-8' } });
    expect(String(text.got?.body)).toBe('Grüße');
    const bytes = await request({
      method: 'PATCH',
      url: 'LOCAL/x',
      base64: 'iVAA/w==',
      headers: { 'content-type': 'image/png' },
    });
    expect(bytes.got?.body).toEqual(Buffer.from([0x89, 0x50, 0, 255]));
    expect(bytes.got?.headers['content-type']).toBe('image/png');
  });

  it.each([
    [{ bearer_token: 's3cret-token' }, 'authorization', 'Bearer s3cret-token'],
    [{ username: 'alex', password: 's3cret-pass' }, 'authorization', `Basic ${btoa('alex:s3cret-pass')}`],
    [{ header_name: 'X-Api-Key', header_value: 's3cret-key' }, 'x-api-key', 's3cret-key'],
  ])('signs in with %j', async (credential, header, value) => {
    const { got, outcome } = await request({ url: 'LOCAL/json' }, credential);
    expect(got?.headers[header]).toBe(value);
    expect(outcome.status).toBe('succeeded');
  });

  it('reaches no other host than that of the credential, and says so', async () => {
    for (const url of ['https://example.com/', 'http://127.0.0.1:1/', 'http://localhost/', '/x']) {
      const credential = url === '/x' ? { host: '10.0.0.1', port: 80 } : {};
      const { outcome } = await request({ url }, credential);
      expect(outcome).toMatchObject({ status: 'failed', error: { code: 'EGRESS_DENIED', retryable: false } });
    }
  });

  it.each([
    [{ url: 'no url' }, 'whole URL or a path'],
    [{ url: 'ftp://127.0.0.1/' }, 'http or https'],
    [{ url: 'LOCAL/', json: 1, text: 'x' }, 'one body'],
    [{ url: 'LOCAL/', method: 'GET', text: 'x' }, 'has no body'],
    [{ url: 'LOCAL/', base64: '%' }, 'not base64'],
    [{ url: 'LOCAL/', headers: { 'a b': 'x' } }, 'header'],
    [{ url: 'LOCAL/', headers: { a: 'x\r\nb: y' } }, 'header'],
  ])('refuses %j', async (input, reason) => {
    const { outcome, got } = await request(input);
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'REQUEST_INVALID' } });
    expect(outcome.status === 'failed' && outcome.error.message).toContain(reason);
    expect(got).toBeUndefined();
  });

  it('fails where the answer says that it is JSON and is not, or is too large', async () => {
    expect((await request({ url: 'LOCAL/broken' })).outcome).toMatchObject({
      error: { code: 'ANSWER_INVALID', details: { status: 200 } },
    });
    expect((await request({ url: 'LOCAL/large' })).outcome).toMatchObject({ error: { code: 'ANSWER_TOO_LARGE' } });
  });

  it('tells a network failure as one that may pass', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const free = (gone.address() as AddressInfo).port;
    await new Promise((resolve) => gone.close(resolve));
    await using other = await openConnector({ dir: new URL('..', import.meta.url), allowPrivate: ['127.0.0.0/8'] });
    const outcome = await other.run(
      'http_request',
      { url: `http://127.0.0.1:${free}/` },
      { credential: { host: '127.0.0.1', port: free } },
    );
    expect(outcome).toMatchObject({ error: { code: 'NETWORK_ERROR', retryable: true } });
  });
});
