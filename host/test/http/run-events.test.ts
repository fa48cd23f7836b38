import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/run/types.ts';
import { notFound, RUN, startHost, until } from './harness.ts';

describe('events of a run', () => {
  const events: RunEvent[] = [
    { id: 1, type: 'state', data: { ...RUN, status: 'running' } },
    { id: 2, type: 'progress', data: { step_id: 'a', fraction: 0.5, message: 'half\nway' } },
    { id: 3, type: 'state', data: RUN },
  ];

  function hostWith(
    status: 'running' | 'succeeded',
    source: (signal: AbortSignal | null, after: number) => AsyncIterable<RunEvent>,
  ) {
    const runs = {
      get: async (_ctx: unknown, id: string) => (id === 'run_1' ? { ...RUN, status } : notFound()),
      events: (ctx: { signal: AbortSignal | null }, _id: string, after: number) => source(ctx.signal, after),
    };
    return startHost({ services: { runs: runs as never } });
  }

  async function* from(after: number): AsyncGenerator<RunEvent> {
    yield* events.filter(({ id }) => id > after);
  }

  test('are a stream that ends with the run', async () => {
    const host = await hostWith('running', (_signal, after) => from(after));
    const answer = await host.send('GET', '/api/runs/run_1/events');
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(answer.headers['x-trace-id']).toBeDefined();
    const blocks = answer.text.trim().split('\n\n');
    expect(blocks.map((block) => block.split('\n').map((line) => line.slice(0, 12)))).toEqual([
      ['retry: 1000'],
      ['id: 1', 'event: state', 'data: {"id":'],
      ['id: 2', 'event: progr', 'data: {"step'],
      ['id: 3.end', 'event: state', 'data: {"id":'],
    ]);
  });

  test('go on after Last-Event-ID, and say 204 to who has seen the end', async () => {
    const host = await hostWith('succeeded', (_signal, after) => from(after));
    const after = (id: string) => host.send('GET', '/api/runs/run_1/events', { headers: { 'last-event-id': id } });
    const rest = await after('2');
    expect(rest.text).toContain('id: 3.end');
    expect(rest.text).not.toContain('id: 2');
    expect((await after('3.end')).status).toBe(204);
    expect((await after('three')).status).toBe(400);
    expect((await host.send('GET', '/api/runs/nobody/events')).status).toBe(404);
    const head = await host.send('HEAD', '/api/runs/run_1/events');
    expect([head.status, head.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
  });

  test('have the end last, also where the source gives it first', async () => {
    const log = { id: 7, type: 'log', data: { seq: 7, msg: 'x' } } as unknown as RunEvent;
    const host = await hostWith('succeeded', () =>
      (async function* () {
        yield { id: 0, type: 'state', data: RUN } as const;
        yield log;
      })(),
    );
    const { text } = await host.send('GET', '/api/runs/run_1/events');
    expect([...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id)).toEqual(['7', '7.end']);
  });

  test('stop being made when the client is gone', async () => {
    let stopped = false;
    const host = await hostWith('running', (signal) =>
      (async function* () {
        yield events[0] as RunEvent;
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
        stopped = true;
      })(),
    );
    const socket = await host.socket();
    socket.write('GET /api/runs/run_1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    await until(() => text.includes('id: 1'));
    socket.destroy();
    await until(() => stopped);
  });

  test('are not made faster than the client reads', async () => {
    let made = 0;
    const host = await hostWith('running', (signal) =>
      (async function* () {
        while (made < 5000) {
          if (signal?.aborted === true) return;
          made++;
          yield { id: made, type: 'progress', data: { step_id: 'a', fraction: 0, message: 'x'.repeat(60_000) } };
        }
      })(),
    );
    const socket = await host.socket();
    socket.pause();
    socket.write('GET /api/runs/run_1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => made > 0);
    let before = -1;
    while (before !== made) {
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(made).toBeLessThan(1000);
    socket.destroy();
  });

  test('end when the server closes', async () => {
    let waiting = false;
    const host = await hostWith('running', (signal) =>
      (async function* () {
        yield events[0] as RunEvent;
        waiting = true;
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      })(),
    );
    const answer = host.send('GET', '/api/runs/run_1/events');
    await until(() => waiting);
    await host.server.close(30_000);
    expect((await answer).text).toContain('id: 1');
  });
});
