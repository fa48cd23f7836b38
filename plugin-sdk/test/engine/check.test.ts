import { expect, test } from 'vitest';
import { isEngineBatch, isLaneBatch } from '../../src/runtime/protocol/check.ts';

const usage = { wallMs: 1 };
const error = { code: 'X', message: 'x', retryable: false };
const good: unknown[] = [
  { type: 'ready' },
  { type: 'result', key: 1, output: 'null', usage },
  { type: 'failure', key: 1, error, usage },
  { type: 'failure', key: 1, error: { ...error, details: { deep: [1, null, 'a'] } }, usage },
  { type: 'returned', key: 1, started: true, suspect: false },
  { type: 'ended', key: 1, threadGoneMs: null },
  { type: 'ended', key: 1, threadGoneMs: 12.5 },
  { type: 'stuck', keys: [1, 2], suspects: [2] },
  { type: 'pong', id: 1, stats: { rss: 1, pools: [{ digest: 'd', threads: 1, calls: 0 }] } },
  { type: 'log', key: 1, level: 'info', message: 'm', fields: null },
  { type: 'log', key: 1, level: 'info', message: 'm', fields: { a: 1 } },
  { type: 'logs-dropped', key: 1, count: 3 },
  { type: 'progress', key: 1, fraction: 0.5, message: null },
  { type: 'call', key: 1, call: 1, request: { op: 'storage.get', key: 'k' } },
  { type: 'call', key: 1, call: 1, request: { op: 'socket.write', socket: 1, data: new Uint8Array(1) } },
  {
    type: 'call',
    key: 1,
    call: 1,
    request: {
      op: 'fetch',
      request: { url: 'https://a', method: 'GET', headers: [['a', 'b']], body: null, redirect: 'follow' },
    },
  },
];

const bad: unknown[] = [
  null,
  'text',
  {},
  { type: 'unknown', key: 1 },
  { type: 'result', key: 'one', output: 'null', usage },
  { type: 'result', key: 1.5, output: 'null', usage },
  { type: 'result', key: 1, output: { toString: 1 }, usage },
  { type: 'result', key: 1, output: 'x'.repeat(8_000_000), usage },
  { type: 'result', key: 1, output: 'null' },
  { type: 'failure', key: 1, error: { code: 1, message: 'm', retryable: false }, usage },
  { type: 'failure', key: 1, error: { ...error, details: new Map() }, usage },
  { type: 'returned', key: 1, started: 'yes', suspect: false },
  { type: 'ended', key: 1, threadGoneMs: Number.NaN },
  { type: 'stuck', keys: ['a'], suspects: [] },
  { type: 'pong', id: 1, stats: {} },
  { type: 'log', key: 1, level: 'shout', message: 'm', fields: null },
  { type: 'log', key: 1, level: 'info', message: 'm', fields: [] },
  { type: 'log', key: 1, level: 'info', message: 'm', fields: { when: new Date() } },
  { type: 'call', key: 1, call: 1, request: { op: 'exec', command: 'id' } },
  { type: 'call', key: 1, call: 1, request: { op: 'constructor' } },
  { type: 'call', key: 1, call: 1, request: { op: 'socket.write', socket: 1, data: 'text' } },
  { type: 'call', key: 1, call: 1, request: { op: 'storage.set', key: 'k', value: new Uint8Array(1) } },
  {
    type: 'call',
    key: 1,
    call: 1,
    request: {
      op: 'fetch',
      request: { url: 'https://a', method: 'GET', headers: [['a']], body: null, redirect: 'follow' },
    },
  },
];

test.each(good.map((message) => [JSON.stringify(message).slice(0, 80), message]))('takes %s', (_name, message) => {
  expect(isEngineBatch([message])).toBe(true);
});

test.each(bad.map((message) => [JSON.stringify(message).slice(0, 80), message]))('refuses %s', (_name, message) => {
  expect(isEngineBatch([message])).toBe(false);
  expect(isEngineBatch([{ type: 'ready' }, message])).toBe(false);
});

test('refuses what is no array', () => {
  expect(isEngineBatch({ 0: { type: 'ready' }, length: 1 })).toBe(false);
});

test('a lane has events of its own, and none of an engine', () => {
  expect(
    isLaneBatch([
      { type: 'skipped', key: 1 },
      { type: 'pong', id: 2 },
      { type: 'result', key: 1, output: '1', wallMs: 0.1 },
    ]),
  ).toBe(true);
  expect(isLaneBatch([{ type: 'returned', key: 1, started: true, suspect: false }])).toBe(false);
  expect(isLaneBatch([{ type: 'stuck', keys: [1] }])).toBe(false);
});

test('data that is too deep is refused, not followed to the end of the stack', () => {
  let fields: unknown = 1;
  for (let depth = 0; depth < 100_000; depth += 1) fields = { fields };
  expect(isEngineBatch([{ type: 'log', key: 1, level: 'info', message: 'm', fields }])).toBe(false);
});
