import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** What clients send that mean no good, as a list: the suite runs each once, `bench/http-attacks.ts` measures what others feel of it. */
export interface HttpAttack {
  readonly name: string;
  /** Statuses that may be answered. 0: the connection was closed without an answer. */
  readonly allowed: readonly number[];
  /** Attacks, and gives the statuses that were answered. `scale` 1 is what the suite does. */
  readonly run: (target: Target, scale: number) => Promise<number[]>;
}

export interface Target {
  readonly port: number;
  /** Workflows to trigger: any parameters; one with a hostile pattern; one with `uniqueItems`. */
  readonly open: string;
  readonly pattern: string;
  readonly unique: string;
  /** A run that does not end before the attacks have. */
  readonly run: string;
}

const MB = 1024 * 1024;
const BOMB = gzipSync(Buffer.alloc(10 * MB));
const JSON_TYPE = 'Content-Type: application/json';

/** A request with a body as bytes. */
export function post(
  path: string,
  body: string | Buffer,
  headers: readonly string[] = [JSON_TYPE],
  length?: number,
): Buffer {
  const bytes = Buffer.from(body);
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    ...headers,
    `Content-Length: ${length ?? bytes.byteLength}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytes]);
}

export function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket)).on('error', reject);
  });
}

/** Sends bytes over a connection of its own, and gives the whole answer. */
export function exchange(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(20_000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', () => undefined).on('close', () => resolve(text));
  });
}

export function statusesOf(text: string): number[] {
  const found = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)]
    .map(([, status]) => Number(status))
    .filter((status) => status !== 100);
  return found.length === 0 ? [0] : found;
}

async function each(port: number, requests: ReadonlyArray<string | Buffer>): Promise<number[]> {
  const answers = await Promise.all(requests.map((bytes) => exchange(port, bytes)));
  return answers.flatMap(statusesOf);
}

/** Opens many connections, does something with each, holds them for a time and lets them go; gives what they were answered meanwhile. */
async function hold(
  port: number,
  count: number,
  ms: number,
  begin: (socket: Socket) => void,
  dribble?: (socket: Socket) => void,
): Promise<number[]> {
  const statuses: number[] = [];
  const sockets: Socket[] = [];
  for (let at = 0; at < count; at += 100) {
    const more = await Promise.all(Array.from({ length: Math.min(100, count - at) }, () => open(port)));
    for (const socket of more) {
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        const text = chunk.toString('latin1');
        if (text.startsWith('HTTP/')) statuses.push(...statusesOf(text));
      });
      begin(socket);
    }
    sockets.push(...more);
  }
  const timer = setInterval(() => {
    for (const socket of sockets) if (socket.writable) dribble?.(socket);
  }, 100);
  await new Promise((resolve) => setTimeout(resolve, ms));
  clearInterval(timer);
  for (const socket of sockets) socket.destroy();
  return statuses;
}

const trigger = (id: string) => `/api/workflows/${id}/trigger`;
const nested = (open_: string, close: string, levels: number) => open_.repeat(levels) + close.repeat(levels);
const raw = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`;

export const ATTACKS: readonly HttpAttack[] = [
  {
    name: 'slow-loris: headers byte by byte',
    allowed: [408],
    run: ({ port }, scale) =>
      hold(
        port,
        300 * scale,
        1000 * scale,
        (socket) => socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: '),
        (socket) => socket.write('x'),
      ),
  },
  {
    name: 'slow bodies',
    allowed: [408],
    run: ({ port, open: id }, scale) =>
      hold(
        port,
        200 * scale,
        7000,
        (socket) => socket.write(post(trigger(id), '{', [JSON_TYPE], 100_000)),
        (socket) => socket.write(' '),
      ),
  },
  {
    name: '2,000 idle connections',
    allowed: [],
    run: ({ port }, scale) => hold(port, 2000, 500 * scale, () => undefined),
  },
  {
    name: 'a body that says to be 10 GB',
    allowed: [413],
    run: ({ port, open: id }) => each(port, [post(trigger(id), '{', [JSON_TYPE], 10_000 * MB)]),
  },
  {
    name: 'bodies larger than the limit, in chunks',
    allowed: [413],
    run: ({ port, open: id }, scale) =>
      each(
        port,
        Array.from({ length: 10 * scale }, () =>
          Buffer.concat([
            Buffer.from(
              raw(
                `POST ${trigger(id)} HTTP/1.1`,
                'Host: localhost',
                'Connection: close',
                JSON_TYPE,
                'Transfer-Encoding: chunked',
              ),
            ),
            Buffer.from(`300000\r\n${'x'.repeat(3 * MB)}\r\n0\r\n\r\n`),
          ]),
        ),
      ),
  },
  {
    name: 'a gzip bomb',
    allowed: [415],
    run: ({ port, open: id }, scale) =>
      each(
        port,
        Array.from({ length: 10 * scale }, () => post(trigger(id), BOMB, [JSON_TYPE, 'Content-Encoding: gzip'])),
      ),
  },
  {
    name: '200,000 levels of nesting',
    allowed: [400],
    run: ({ port, open: id }, scale) =>
      each(
        port,
        Array.from({ length: 10 * scale }, () => [
          post(trigger(id), nested('[', ']', 200_000)),
          post(trigger(id), `{"parameters":${nested('{"a":', '}', 100_000).replace('}', '1}')}}`),
          post('/api/workflows', nested('[', ']', 200_000)),
        ]).flat(),
      ),
  },
  {
    name: '__proto__ and constructor as keys',
    allowed: [400],
    run: ({ port, open: id }) =>
      each(
        port,
        ['__proto__', 'constructor', 'prototype', 'toString', '__defineGetter__'].flatMap((key) => [
          post(trigger(id), `{"${key}":{"polluted":true}}`),
          post(trigger(id), `{"parameters":{"${key}":{"polluted":true}}}`),
          post('/api/workflows', `{"name":"x","${key}":{"polluted":true}}`),
          post('/api/workflows', `{"name":"x","parameters":[{"name":"a","type":"object","${key}":{"polluted":true}}]}`),
        ]),
      ),
  },
  {
    name: 'invalid UTF-8',
    allowed: [400],
    run: ({ port, open: id }) =>
      each(
        port,
        [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]].map((bytes) =>
          post(
            trigger(id),
            Buffer.concat([Buffer.from('{"parameters":{"text":"'), Buffer.from(bytes), Buffer.from('"}}')]),
          ),
        ),
      ),
  },
  {
    name: 'JSON that is none',
    allowed: [400],
    run: ({ port, open: id }) =>
      each(
        port,
        [
          '{',
          '',
          'null x',
          '{"a":1,}',
          "{'a':1}",
          '[1e999]',
          '{"parameters":{"n":9007199254740993}}',
          '\u0000',
          '\ufeff\ufeff{}',
          '{"a":01}',
          '{"a":"\n"}',
        ].map((text) => post(trigger(id), text === '' ? ' ' : text)),
      ),
  },
  {
    name: 'a length that is none',
    allowed: [400, 413],
    run: ({ port, open: id }) =>
      each(
        port,
        ['abc', '-1', '+5', '1,2', '0x10', '1e3', '5 5', '99999999999999999999999999', ''].map(
          (length) =>
            raw(
              `POST ${trigger(id)} HTTP/1.1`,
              'Host: localhost',
              'Connection: close',
              JSON_TYPE,
              `Content-Length: ${length}`,
            ) + '{}',
        ),
      ),
  },
  {
    name: 'a request smuggled behind another',
    // 501 never; one answer at most that is not a refusal: what comes behind must not be answered.
    allowed: [400],
    run: ({ port, open: id }) => {
      const smuggled = 'GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n';
      const chunked = `0\r\n\r\n${smuggled}`;
      const start = [`POST ${trigger(id)} HTTP/1.1`, 'Host: localhost', JSON_TYPE];
      return each(port, [
        raw(...start, `Content-Length: ${chunked.length}`, 'Transfer-Encoding: chunked') + chunked,
        raw(...start, 'Transfer-Encoding: chunked', `Content-Length: 4`) + chunked,
        raw(...start, 'Content-Length: 2', 'Content-Length: 40') + `{}${smuggled}`,
        raw(...start, 'Transfer-Encoding: xchunked') + chunked,
        raw(...start, 'Transfer-Encoding : chunked') + chunked,
        raw(...start, 'Transfer-Encoding: chunked, identity') + chunked,
        raw(...start, 'Transfer-Encoding: identity', 'Content-Length: 2') + `{}${smuggled}`,
        raw(...start, 'X-A: b\rTransfer-Encoding: chunked', 'Content-Length: 2') + `{}${smuggled}`,
        raw(...start, 'Transfer-Encoding: chunked') + `fffffffffffffffff\r\n{}\r\n${chunked}`,
        raw(...start, 'Transfer-Encoding: chunked') + `-2\r\n{}\r\n${chunked}`,
        raw(...start, 'Transfer-Encoding: chunked') + `2\n{}\n0\n\n${smuggled}`,
      ]);
    },
  },
  {
    name: 'a pattern that would take for ever',
    allowed: [400],
    run: ({ port, pattern }, scale) =>
      each(
        port,
        Array.from({ length: 10 * scale }, () =>
          post(trigger(pattern), JSON.stringify({ parameters: { text: `${'a'.repeat(60_000)}!` } })),
        ),
      ),
  },
  {
    name: '10,000 parameters',
    allowed: [400],
    run: ({ port, open: id }, scale) => {
      const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`p${at}`, at]));
      const declared = Array.from({ length: 10_000 }, (_, at) => ({ name: `p${at}`, type: 'integer' }));
      return each(
        port,
        Array.from({ length: 5 * scale }, () => [
          post(trigger(id), JSON.stringify({ parameters: many })),
          post('/api/workflows', JSON.stringify({ name: 'x', parameters: declared })),
        ]).flat(),
      );
    },
  },
  {
    name: '10,000 different objects where all must differ',
    allowed: [400, 200, 202],
    run: ({ port, unique }, scale) =>
      each(
        port,
        Array.from({ length: 5 * scale }, () =>
          post(
            trigger(unique),
            JSON.stringify({ parameters: { list: Array.from({ length: 20_000 }, (_, at) => ({ at })) } }),
          ),
        ),
      ),
  },
  {
    name: 'a body of a million escapes',
    allowed: [400],
    run: ({ port, open: id }, scale) =>
      each(
        port,
        Array.from({ length: 5 * scale }, () => post(trigger(id), `{"x":"${'\\u0061'.repeat(160_000)}"}`)),
      ),
  },
  {
    name: 'huge headers',
    allowed: [431],
    run: ({ port }, scale) =>
      each(
        port,
        Array.from({ length: 10 * scale }, () => [
          raw('GET /healthz HTTP/1.1', 'Host: localhost', `X-A: ${'x'.repeat(100_000)}`),
          raw('GET /healthz HTTP/1.1', 'Host: localhost', ...Array.from({ length: 5000 }, (_, at) => `X-${at}: ${at}`)),
          raw(`GET /${'a'.repeat(100_000)} HTTP/1.1`, 'Host: localhost'),
        ]).flat(),
      ),
  },
  {
    name: 'paths and queries that are none',
    allowed: [400, 403, 404],
    run: ({ port }) =>
      each(
        port,
        [
          '/api/runs/%ff',
          '/api/runs/%zz',
          '/api/runs/%00',
          '/api/runs/..%2f..%2fetc',
          '/api/../../etc/passwd',
          '/api/runs?limit=1e9',
          '/api/runs?limit=-1',
          `/api/runs?${'a=b&'.repeat(3000)}`,
          '/api/runs?status[$ne]=x',
          '/api/workflows/__proto__',
          '/api/plugins/constructor',
          '//evil.example/healthz',
          '/api/runs/%E0%80%80',
          "/api/runs/' OR 1=1 --",
        ].map((path) => raw(`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close')),
      ),
  },
  {
    name: 'bytes that are no HTTP',
    allowed: [400, 0],
    run: ({ port }, scale) =>
      each(
        port,
        Array.from({ length: 50 * scale }, (_, i) =>
          Buffer.from(Array.from({ length: 500 }, (_byte, j) => (i * 31 + j * 17) % 256)),
        ),
      ),
  },
  {
    name: 'a flood of pipelined requests',
    allowed: [200, 0],
    run: async ({ port }, scale) =>
      statusesOf(
        await exchange(
          port,
          raw('GET /healthz HTTP/1.1', 'Host: localhost').repeat(5000 * scale) +
            raw('GET /healthz HTTP/1.1', 'Host: localhost', 'Connection: close'),
        ),
      ),
  },
  {
    name: 'pipelined requests whose answers nobody reads',
    allowed: [],
    run: ({ port }, scale) =>
      hold(port, 5 * scale, 800 * scale, (socket) =>
        socket.pause().write(raw('GET /api/openapi.json HTTP/1.1', 'Host: localhost').repeat(2000)),
      ),
  },
  {
    name: 'a flood of webhooks that do not exist',
    allowed: [404, 429],
    run: async ({ port }, scale) => {
      const statuses: number[] = [];
      const flood = post('/api/webhooks/00000000-0000-4000-8000-000000000000', '{}');
      for (let at = 0; at < 20 * scale; at++)
        statuses.push(
          ...(await each(
            port,
            Array.from({ length: 50 }, () => flood),
          )),
        );
      return statuses;
    },
  },
  {
    name: 'streams of events, many at once',
    allowed: [200, 429, 503],
    run: ({ port, run }, scale) =>
      hold(port, 500 * scale, 800 * scale, (socket) =>
        socket.write(raw(`GET /api/runs/${run}/events HTTP/1.1`, 'Host: localhost')),
      ),
  },
];
