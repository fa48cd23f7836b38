import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Pace } from '../../src/http/body/pace.ts';
import { readBody } from '../../src/http/body/read.ts';

/** Reads one body at a pace of 1,000 bytes a second after 100 ms; gives its length, or the code of the refusal. */
async function reading(send: (write: (text: string) => void) => void): Promise<number | string> {
  const pace = new Pace({ graceMs: 100, bytesPerSecond: 1000, checkMs: 10 });
  const read = Promise.withResolvers<number | string>();
  const server = createServer((request) => {
    readBody(request, 1_000_000, pace).then(
      (body) => read.resolve(body.length),
      (error: { code: string }) => read.resolve(error.code),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n');
  send((text) => socket.write(text));
  return await read.promise;
}

test('a body that dribbles is given up', async () => {
  expect(await reading((write) => write('x'))).toBe('REQUEST_TIMEOUT');
});

test('a body that never begins is given up', async () => {
  expect(await reading(() => undefined)).toBe('REQUEST_TIMEOUT');
});

test('a body that comes in time is read', async () => {
  expect(await reading((write) => write('x'.repeat(5000)))).toBe(5000);
});

test('a slow body that keeps its pace is waited for', async () => {
  const body = await reading((write) => {
    write('x'.repeat(4999));
    setTimeout(write, 400, 'x');
  });
  expect(body).toBe(5000);
});
