import { describe, expect, test } from 'vitest';
import { MAX_LOG_CHARS, MAX_LOG_LINES } from '../../src/contract/index.ts';
import { type RunningCall, TestLane } from './lane.ts';

async function logsOf(body: string): Promise<RunningCall> {
  await using lane = await TestLane.ofActions(`{ main: async (ctx) => { ${body} } }`);
  const call = lane.begin();
  const ended = await call.ended;
  expect(ended).toMatchObject({ ok: true });
  return call;
}

describe('the log of a run', () => {
  test('takes console and ctx.log with their levels and fields', async () => {
    const { logs } = await logsOf(`
      console.log('n %d of %s: %j', 3, 'five', { a: 1 }, [2]); console.debug('d'); console.warn({ w: new Map([[1, 2]]) }); console.error(new Error('e'));
      ctx.log.info('with fields', { a: 1, when: new Date(0), f() {}, big: 10n, self: globalThis.undefined });`);
    expect(logs.map(({ level, message, fields }) => [level, message, fields])).toEqual([
      ['info', 'n 3 of five: {"a":1} [2]', null],
      ['debug', 'd', null],
      ['warn', '{"w":{"Map":[[1,2]]}}', null],
      ['error', '{"name":"Error","message":"e"}', null],
      ['info', 'with fields', { a: 1, when: '1970-01-01T00:00:00.000Z', f: '[Function]', big: '10n' }],
    ]);
  });

  test('never throws at the connector, whatever it is given', async () => {
    const { logs } = await logsOf(`
      const trap = new Proxy({}, { get() { throw 1; }, ownKeys() { throw 2; }, getPrototypeOf() { throw 3; } });
      const cycle = {}; cycle.self = cycle;
      console.log(trap, cycle, Symbol('s')); ctx.log.info(trap, trap); ctx.log.info({ toString() { throw 1; } }); ctx.log.info('x', { get a() { throw 1; } });`);
    expect(logs).toHaveLength(4);
    expect(logs[0]?.message).toBe(
      '[unreadable] {"self":"[circular]"} Symbol(s)'
        .replace('[unreadable]', '"[unreadable]"')
        .replace('Symbol(s)', '"Symbol(s)"'),
    );
    expect(logs[3]?.fields).toEqual({ a: '[throws]' });
  });

  test('ends after its number of lines and tells how many are missing', async () => {
    const call = await logsOf(`for (let i = 0; i < ${MAX_LOG_LINES + 7}; i++) console.log(i);`);
    expect(call.logs).toHaveLength(MAX_LOG_LINES);
    expect(call.dropped).toBe(7);
  });

  test('cuts lines and fields that are too long', async () => {
    const { logs } = await logsOf(`
      ctx.log.info('x'.repeat(1_000_000)); ctx.log.info('y', { big: 'z'.repeat(1_000_000), list: Array.from({ length: 1e6 }, () => 1) });`);
    expect(logs[0]?.message.length).toBe(MAX_LOG_CHARS);
    expect(JSON.stringify(logs[1]?.fields).length).toBeLessThan(MAX_LOG_CHARS + 64);
  });

  test('shows the line before an endless loop', async () => {
    await using lane = await TestLane.ofActions(`{ main: async () => { console.log('before'); for (;;); } }`);
    const call = lane.begin();
    await expect.poll(() => call.logs.length).toBe(1);
    expect(call.logs[0]?.message).toBe('before');
  });
});
