import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collectSecrets, createMask, MASK } from '../../src/contract/index.ts';
import { ByteMask } from '../../src/runtime/broker/mask-stream.ts';
import { ask, bodyText, fetchCall, header, httpServer, refused, testBroker } from './harness.ts';

const SECRET = 'p@ss/wörd "1"&=+%?x';
const SCHEMA = {
  type: 'object',
  properties: { api_key: { type: 'string', writeOnly: true }, user: { type: 'string' } },
};

interface Seen {
  url: string;
  headers: Record<string, string>;
  body: string;
}

async function recorder(answer: (seen: Seen) => string | Buffer = () => 'ok') {
  const seen: Seen[] = [];
  const server = await httpServer((request, response) => {
    const entry = { url: request.url ?? '', headers: request.headers as Record<string, string>, body: request.text };
    seen.push(entry);
    response.end(answer(entry));
  });
  const test = testBroker();
  const session = test.open({
    granted: { net: [`127.0.0.1:${server.port}`] },
    credential: { api_key: SECRET, user: 'alex' },
    credentialSchema: SCHEMA,
  });
  const { api_key: token, user } = session.credential as { api_key: string; user: string };
  return { ...server, ...test, seen, session, token, user, url: `http://127.0.0.1:${server.port}` };
}

describe('placeholders', () => {
  test('stand for writeOnly values and nothing else', async () => {
    const { token, user, session, open } = await recorder();
    expect(user).toBe('alex');
    expect(token).toMatch(/^gfs_[0-9a-f]{32}$/);
    expect(session.credential).toBe(session.credential);
    const other = open({ credential: { api_key: SECRET }, credentialSchema: SCHEMA }).credential as { api_key: string };
    expect(other.api_key).not.toBe(token);
  });

  test('stand for nested, referenced and combined secrets, numbers included, and for everything when there is no schema', () => {
    const schema = {
      properties: {
        oauth: { $ref: '#/$defs/oauth' },
        keys: { type: 'array', items: { writeOnly: true } },
        all: { writeOnly: true },
        either: { anyOf: [{ properties: { pin: { writeOnly: true } } }, {}] },
        plain: { type: 'string' },
      },
      $defs: {
        oauth: { properties: { secret: { allOf: [{ writeOnly: true }] }, id: {}, again: { $ref: '#/$defs/oauth' } } },
      },
    };
    const values = {
      oauth: { secret: 's1', id: 'public', again: { secret: 's2' } },
      keys: ['s3', 's4'],
      all: { deep: { deeper: ['s5'] }, flag: true },
      either: { pin: 123_456 },
      plain: 'public',
    };
    expect(collectSecrets(schema, values).sort()).toEqual(['123456', 's1', 's2', 's3', 's4', 's5']);
    expect(collectSecrets(null, { host: 'h', list: ['x'] })).toEqual(['h', 'x']);
    const { open } = testBroker();
    const shown = JSON.stringify(open({ credential: values, credentialSchema: schema }).credential);
    for (const secret of ['s1', 's2', 's3', 's4', 's5', '123456']) expect(shown).not.toContain(`"${secret}"`);
    expect(shown.match(/gfs_/g)).toHaveLength(6);
  });

  test('are filled in in header values, also within Basic credentials', async () => {
    const { session, token, seen, url, open, port } = await recorder();
    const headers = [
      ['X-User', `${token}!`],
      ['Authorization', `Basic ${btoa(`alex:${token}`)}`],
    ] as const;
    const odd = await refused(
      session,
      fetchCall(url, {
        headers: [
          ['x', token],
          ['y', '\u{100}'],
        ],
      }),
    );
    expect(odd.code).toBe('CONNECTOR_ERROR');
    await ask(session, fetchCall(url, { headers }));
    expect(Buffer.from(seen[0]?.headers['x-user'] ?? '', 'latin1').toString('latin1')).toBe(`${SECRET}!`);
    expect(Buffer.from(seen[0]?.headers['authorization']?.slice(6) ?? '', 'base64').toString('utf8')).toBe(
      `alex:${SECRET}`,
    );
    const broken = open({
      granted: { net: [`127.0.0.1:${port}`] },
      credential: { api_key: 'two\r\nlines' },
      credentialSchema: SCHEMA,
    });
    const { api_key } = broken.credential as { api_key: string };
    const error = await refused(broken, fetchCall(url, { headers: [['x-key', api_key]] }));
    expect(error.message).toBe('the secret in the header "x-key" has characters that a header cannot have');
  });

  test('are filled in in path and query, escaped so that the secret stays one part', async () => {
    const { session, token, seen, url } = await recorder();
    const head = await ask(session, fetchCall(`${url}/bot${token}/send?key=${token}&x=1`));
    expect(head.url).toBe(`${url}/bot${token}/send?key=${token}&x=1`);
    const got = new URL(seen[0]?.url ?? '', url);
    expect(got.pathname.split('/').map(decodeURIComponent)).toEqual(['', `bot${SECRET}`, 'send']);
    expect(got.searchParams.get('key')).toBe(SECRET);
    expect(got.searchParams.get('x')).toBe('1');
  });

  test.each([
    [
      'application/json',
      (token: string) => JSON.stringify({ key: token }),
      (body: string) => (JSON.parse(body) as { key: string }).key,
    ],
    [
      'application/vnd.x+json; charset=utf-8',
      (token: string) => `["${token}"]`,
      (body: string) => (JSON.parse(body) as string[])[0],
    ],
    [
      'application/x-www-form-urlencoded',
      (token: string) => `key=${token}&x=1`,
      (body: string) => new URLSearchParams(body).get('key'),
    ],
    ['text/plain', (token: string) => token, (body: string) => body],
    [
      'application/xml',
      (token: string) => `<k>${token}</k>`,
      (body: string) => body.slice(3, -4).replaceAll('&quot;', '"').replaceAll('&amp;', '&'),
    ],
    ['', (token: string) => `a${token}b`, (body: string) => body.slice(1, -1)],
  ] as const)('are filled in in a body of type "%s"', async (type, write, read) => {
    const { session, token, seen, url } = await recorder();
    const headers = type === '' ? [] : [['Content-Type', type] as const];
    await ask(session, fetchCall(url, { method: 'POST', headers, body: write(token) }));
    expect(read(seen[0]?.body ?? '')).toBe(SECRET);
    expect(seen[0]?.headers['content-length']).toBe(String(Buffer.byteLength(seen[0]?.body ?? '')));
  });

  test('leave every other byte of a body alone', async () => {
    const bodies: Buffer[] = [];
    const { port } = await httpServer((request, response) => {
      bodies.push(request.bytes);
      response.end();
    });
    const session = testBroker().open({
      granted: { net: [`127.0.0.1:${port}`] },
      credential: { api_key: SECRET },
      credentialSchema: SCHEMA,
    });
    const { api_key: token } = session.credential as { api_key: string };
    const around = [Buffer.from([0, 255, 128, 254]), Buffer.from([0xc3, 0x28, 0])] as const;
    const body = Buffer.concat([around[0], Buffer.from(token), around[1]]);
    await ask(session, fetchCall(`http://127.0.0.1:${port}/`, { method: 'POST', body }));
    expect(bodies).toEqual([Buffer.concat([around[0], Buffer.from(SECRET), around[1]])]);
  });

  test('mean nothing to a host that is not granted, nor in another session', async () => {
    const { session, token, seen, url, open, port } = await recorder();
    expect(await refused(session, fetchCall(`http://${token}.evil.test/`))).toMatchObject({ code: 'EGRESS_DENIED' });
    expect(await refused(session, fetchCall('https://evil.test/', { headers: [['x', token]] }))).toMatchObject({
      code: 'EGRESS_DENIED',
    });
    const other = open({
      granted: { net: [`127.0.0.1:${port}`] },
      credential: { api_key: 'another' },
      credentialSchema: SCHEMA,
    });
    await ask(other, fetchCall(`${url}/?k=${token}`, { headers: [['x', token]] }));
    expect(seen[0]).toMatchObject({ url: `/?k=${token}`, headers: { x: token } });
  });

  test('are not used when the bundle works with values', async () => {
    const { open, port, url, seen } = await recorder((entry) => entry.url);
    const session = open({
      granted: { net: [`127.0.0.1:${port}`] },
      credential: { api_key: 'the-value' },
      credentialSchema: SCHEMA,
      secrets: 'value',
    });
    expect(session.credential).toEqual({ api_key: 'the-value' });
    const head = await ask(session, fetchCall(`${url}/the-value`));
    expect(await bodyText(session, head)).toBe('/the-value');
    expect(seen).toHaveLength(1);
  });
});

describe('what comes back', () => {
  test('is masked in body, headers and URL, in every form', async () => {
    const { session, token, url } = await recorder((entry) => JSON.stringify(entry));
    const headers = [
      ['Authorization', `Basic ${btoa(`alex:${token}`)}`],
      ['X-Key', token],
    ] as const;
    const head = await ask(
      session,
      fetchCall(`${url}/${token}?k=${token}`, { method: 'POST', headers, body: `k=${token}` }),
    );
    const text = await bodyText(session, head);
    expect(text).toContain(MASK);
    for (const form of [
      SECRET,
      JSON.stringify(SECRET).slice(1, -1),
      JSON.stringify(JSON.stringify(SECRET).slice(1, -1)).slice(1, -1),
      encodeURIComponent(JSON.stringify(SECRET).slice(1, -1)),
      encodeURIComponent(SECRET),
      btoa(Buffer.from(SECRET).toString('latin1')),
      'p@ss',
      'p%40ss',
    ])
      expect(text).not.toContain(form);
  });

  test('is masked in headers and in the URL of a redirect', async () => {
    const server = await httpServer((request, response) => {
      if (request.url?.startsWith('/end') === true) response.end();
      else
        response
          .writeHead(302, {
            location: `/end?k=${encodeURIComponent(request.headers['x-key'] as string)}`,
            'x-echo': request.headers['x-key'],
          })
          .end();
    });
    const { open } = testBroker();
    const session = open({
      granted: { net: [`127.0.0.1:${server.port}`] },
      credential: { api_key: 'plain-secret-1' },
      credentialSchema: SCHEMA,
    });
    const { api_key: token } = session.credential as { api_key: string };
    const url = `http://127.0.0.1:${server.port}/`;
    const manual = await ask(session, fetchCall(url, { headers: [['x-key', token]], redirect: 'manual' }));
    expect(header(manual, 'location')).toBe(`/end?k=${MASK}`);
    expect(header(manual, 'x-echo')).toBe(MASK);
    expect((await ask(session, fetchCall(url, { headers: [['x-key', token]] }))).url).toBe(`${url}end?k=${MASK}`);
  });

  test('is masked where a secret lies across chunks', async () => {
    const secret = 'abcabcabd-secret';
    const { port } = await httpServer((_request, response) => {
      const bytes = Buffer.from(`before ${secret} between ${secret}${secret} after abcabc`);
      const send = (at: number) => {
        if (at >= bytes.length) response.end();
        else response.write(bytes.subarray(at, at + 3), () => setImmediate(send, at + 3));
      };
      send(0);
    });
    const { open } = testBroker();
    const session = open({
      granted: { net: [`127.0.0.1:${port}`] },
      credential: { api_key: secret },
      credentialSchema: SCHEMA,
    });
    const head = await ask(session, fetchCall(`http://127.0.0.1:${port}/`));
    expect(await bodyText(session, head)).toBe('before *** between ****** after abcabc');
  });

  test('is masked alike however it is cut, and is not changed when it holds no secret', () => {
    const secrets = ['aab', 'aabaa', 'abab', 'baaab', 'aaaa'];
    const mask = ByteMask.of(secrets);
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 60 }),
        fc.array(fc.nat(60), { maxLength: 8 }),
        (text, cuts) => {
          const stream = mask?.stream();
          const points = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
          let out = '';
          for (let index = 1; index < points.length; index++)
            out += Buffer.from(
              stream?.push(Buffer.from(text.slice(points[index - 1], points[index]))) ?? [],
            ).toString();
          out += Buffer.from(stream?.end() ?? []).toString();
          for (const secret of secrets) if (secret.length >= 4) expect(out).not.toContain(secret);
          if (!secrets.some((secret) => secret.length >= 4 && text.includes(secret))) expect(out).toBe(text);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('createMask', () => {
  test('finds each form of a secret', () => {
    const mask = createMask([SECRET]);
    const utf8 = Buffer.from(SECRET);
    const forms = [
      SECRET,
      JSON.stringify(SECRET).slice(1, -1),
      encodeURIComponent(SECRET),
      encodeURIComponent(SECRET).toLowerCase().replace('w%c3%b6rd', 'w%c3%b6rd'),
      new URLSearchParams({ k: SECRET }).toString().slice(2),
      utf8.toString('base64'),
      utf8.toString('base64url'),
      utf8.toString('hex'),
    ];
    for (const form of forms) expect(mask(`<${form}>`), form).toBe(`<${MASK}>`);
    for (const before of ['', 'u', 'us', 'use', 'user:'])
      expect(mask(Buffer.from(`${before}${SECRET}:after`).toString('base64'))).toContain(MASK);
  });

  test('leaves alone what is too short to be a secret, and texts without one', () => {
    expect(createMask(['abc', ''])('abc abc')).toBe('abc abc');
    expect(createMask([])('anything')).toBe('anything');
    expect(createMask(['abcd'])('abc d')).toBe('abc d');
  });

  test('masks a secret that holds another one as a whole', () => {
    expect(createMask(['word', 'password1'])('password1 word')).toBe(`${MASK} ${MASK}`);
  });
});
