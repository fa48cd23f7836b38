import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadlines } from '../../src/runtime/engine/deadlines.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('items expire in the order of their deadlines, never early', () => {
  const expired: Array<readonly [name: number, lateMs: number]> = [];
  const deadlines = new Deadlines<number>((ms) => expired.push([ms, performance.now() - start - ms]));
  const start = performance.now();
  const times = Array.from({ length: 200 }, (_, n) => (n * 7919) % 1000);
  for (const ms of times) deadlines.add(start + ms, ms);
  vi.advanceTimersByTime(2000);
  expect(expired.length).toBe(200);
  for (const [, lateMs] of expired) {
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThan(10);
  }
});

test('a removed item does not expire', () => {
  const expired: string[] = [];
  const deadlines = new Deadlines<string>((name) => expired.push(name));
  const handle = deadlines.add(performance.now() + 50, 'removed');
  deadlines.add(performance.now() + 50, 'kept');
  deadlines.remove(handle, 'removed');
  vi.advanceTimersByTime(100);
  expect(expired).toEqual(['kept']);
});

test('an earlier deadline that comes later is seen in time', () => {
  const expired: string[] = [];
  const deadlines = new Deadlines<string>((name) => expired.push(name));
  deadlines.add(performance.now() + 1000, 'later');
  deadlines.add(performance.now() + 20, 'soon');
  vi.advanceTimersByTime(40);
  expect(expired).toEqual(['soon']);
  vi.advanceTimersByTime(1000);
  expect(expired).toEqual(['soon', 'later']);
});

test('no timer is left when nothing is', () => {
  const deadlines = new Deadlines<string>(() => undefined);
  deadlines.add(performance.now() + 20, 'one');
  vi.advanceTimersByTime(40);
  expect(vi.getTimerCount()).toBe(0);
  deadlines.add(performance.now() + 20, 'two');
  deadlines.clear();
  expect(vi.getTimerCount()).toBe(0);
});
