import { createServer, type RequestListener } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { inTurn } from '../../src/http/in-turn.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

async function connected(listener: RequestListener): Promise<Socket> {
  const server = createServer(inTurn(listener));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  return socket;
}

async function settles(value: () => number): Promise<number> {
  for (let last = -1; ; ) {
    const now = value();
    if (now === last) return now;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('pipelined requests are answered in order, none begins before the answer before it is out', async () => {
  let running = 0;
  let most = 0;
  let handled = 0;
  const socket = await connected((_request, response) => {
    most = Math.max(most, ++running);
    response.once('close', () => running--);
    setImmediate(() => response.end(String(handled++)));
  });
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.write(REQUEST.repeat(50));
  expect(await settles(() => handled)).toBe(50);
  await settles(() => text.length);
  expect([...text.matchAll(/\r\n\r\n(\d+)/g)].map(([, body]) => Number(body))).toEqual(
    Array.from({ length: 50 }, (_, i) => i),
  );
  expect(most).toBeLessThanOrEqual(2);
});

test('answers that nobody reads are not made', async () => {
  let handled = 0;
  const answer = Buffer.alloc(4 * 1024 * 1024);
  const socket = await connected((_request, response) => {
    handled++;
    response.end(answer);
  });
  socket.pause().write(REQUEST.repeat(50));
  expect(await settles(() => handled)).toBeLessThan(5);
});

test('a client that sends hundreds ahead is cut off', async () => {
  const socket = await connected((_request, response) => setTimeout(() => response.end('x'), 20));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.resume().write(REQUEST.repeat(500));
  await closed;
});
