import { describe, expect, test } from 'vitest';
import type { BrokerCall } from '../../src/runtime/protocol/broker.ts';
import { type BrokerStub, TestLane } from './lane.ts';

const text = (data: Uint8Array): string => new TextDecoder().decode(data);
const bytes = (data: string): Uint8Array => new TextEncoder().encode(data);

async function run(body: string, broker: BrokerStub): Promise<{ output: unknown; asked: BrokerCall[] }> {
  await using lane = await TestLane.ofActions(`{ main: async (ctx) => { ${body} } }`);
  const call = lane.begin({ broker });
  const ended = await call.ended;
  expect(ended).toMatchObject({ ok: true });
  return { output: (ended as { output: unknown }).output, asked: call.asked };
}

/** A peer that answers each line with itself in capitals, and hangs up after QUIT. */
function echo(): BrokerStub {
  const lines: (string | null)[] = ['HELLO\n'];
  return (request) => {
    if (request.op === 'connect') return { socket: 1, remoteAddress: '192.0.2.1:25', localAddress: '192.0.2.9:4000' };
    if (request.op === 'socket.starttls')
      return { socket: 2, remoteAddress: '192.0.2.1:25', localAddress: '192.0.2.9:4000' };
    if (request.op === 'socket.write')
      lines.push(text(request.data).startsWith('QUIT') ? null : text(request.data).toUpperCase());
    if (request.op === 'socket.read') {
      const line = lines.shift();
      return line === null || line === undefined ? null : bytes(line);
    }
    return null;
  };
}

const TALK = `const dec = new TextDecoder(), enc = new TextEncoder();
  const say = async (socket, line) => { const w = socket.writable.getWriter(); await w.write(enc.encode(line)); w.releaseLock(); };
  const hear = async (socket) => { const r = socket.readable.getReader(); const { value, done } = await r.read(); r.releaseLock(); return done ? null : dec.decode(value); };`;

describe('connect', () => {
  test('gives a socket at once that opens, talks and closes', async () => {
    const { output, asked } = await run(
      `${TALK} const socket = ctx.connect({ hostname: 'mail.example', port: 25 }); const { remoteAddress } = await socket.opened;
      const heard = [await hear(socket)]; await say(socket, 'one'); heard.push(await hear(socket)); await say(socket, 'QUIT'); heard.push(await hear(socket)); await socket.closed;
      return [heard, remoteAddress, socket.secureTransport, socket.upgraded]`,
      echo(),
    );
    expect(output).toEqual([['HELLO\n', 'ONE', null], '192.0.2.1:25', 'off', false]);
    expect(asked.map(({ op }) => op)).toEqual([
      'connect',
      'socket.read',
      'socket.write',
      'socket.read',
      'socket.write',
      'socket.read',
      'socket.close',
    ]);
    expect(asked[0]).toEqual({ op: 'connect', host: 'mail.example', port: 25, secureTransport: 'off' });
  });

  test('startTls goes on as another socket, and the first works no more', async () => {
    const { output, asked } = await run(
      `${TALK} const plain = ctx.connect('mail.example:587', { secureTransport: 'starttls' }); await hear(plain); const secure = plain.startTls(); await plain.closed; await secure.opened;
      await say(secure, 'two'); const heard = await hear(secure); const old = await say(plain, 'x').catch((e) => e.message); await secure.close();
      let again; try { secure.startTls(); } catch (e) { again = e instanceof TypeError; } return [heard, secure.upgraded, secure.secureTransport, old, again]`,
      echo(),
    );
    expect(output).toEqual(['TWO', true, 'on', expect.stringContaining('went on over TLS'), true]);
    expect(asked).toContainEqual({ op: 'socket.starttls', socket: 1, serverName: 'mail.example' });
    expect(asked.filter(({ op }) => op === 'socket.write')).toMatchObject([{ socket: 2 }]);
  });

  test('a refused connection fails opened, closed, reads and writes with its code', async () => {
    const { output } = await run(
      `${TALK} const socket = ctx.connect('db.example:5432'); const why = (p) => p.then(() => 'worked', (e) => e.code);
      return await Promise.all([why(socket.opened), why(socket.closed), why(hear(socket)), why(say(socket, 'x'))])`,
      () => {
        throw { code: 'EGRESS_DENIED', message: 'not granted', retryable: false };
      },
    );
    expect(output).toEqual(['EGRESS_DENIED', 'EGRESS_DENIED', 'EGRESS_DENIED', 'EGRESS_DENIED']);
  });

  test('a connection that nobody looks at fails without a sound', async () => {
    await using lane = await TestLane.ofActions(
      `{ main: async (ctx) => { ctx.connect('a.example:1'); await ctx.sleep(10); } }`,
    );
    const call = lane.begin({
      broker() {
        throw { code: 'NETWORK_ERROR', message: 'refused', retryable: true };
      },
    });
    await call.ended;
    expect(call.logs).toEqual([]);
  });

  test.each([
    "'nope'",
    "'a.example'",
    "{ hostname: '', port: 1 }",
    "{ hostname: 'a', port: 0 }",
    "{ hostname: 'a', port: 99999 }",
    "'a:1', { secureTransport: 'maybe' }",
  ])('connect(%s) is a TypeError at once', async (args) => {
    const { output, asked } = await run(
      `try { ctx.connect(${args}); } catch (e) { return e instanceof TypeError; }`,
      echo(),
    );
    expect([output, asked]).toEqual([true, []]);
  });

  test('the writing end closes by itself with half-open sockets; IPv6 addresses are understood', async () => {
    const { asked } = await run(
      `const socket = ctx.connect('[::1]:80', { allowHalfOpen: true }); const w = socket.writable.getWriter(); await w.write(new Uint8Array([1])); await w.close(); for await (const _ of socket.readable); await socket.close();`,
      echo(),
    );
    expect(asked[0]).toMatchObject({ host: '::1', port: 80 });
    expect(asked.map(({ op }) => op)).toEqual([
      'connect',
      'socket.write',
      'socket.end',
      'socket.read',
      'socket.read',
      'socket.read',
      'socket.close',
    ]);
  });

  test('libraries for edge runtimes find connect as a global', async () => {
    const { output } = await run(
      `${TALK} const socket = connect('mail.example:25'); return await hear(socket)`,
      echo(),
    );
    expect(output).toBe('HELLO\n');
  });
});
