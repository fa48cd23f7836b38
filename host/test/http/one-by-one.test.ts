import { expect, test } from 'vitest';
import { largeBodyTurn } from '../../src/http/body/one-by-one.ts';

test('large bodies take turns with the event loop, in the order in which they came', async () => {
  let turn = 0;
  let counting = true;
  const count = (): void => {
    turn += 1;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const handled: Array<readonly [body: number, turn: number]> = [];
  const bodies = [1, 2, 3, 4].map(async (body) => {
    await largeBodyTurn(100_000);
    handled.push([body, turn]);
  });
  await Promise.all(bodies);
  counting = false;
  expect(handled.map(([body]) => body)).toEqual([1, 2, 3, 4]);
  expect(new Set(handled.map(([, at]) => at)).size).toBe(4);
});

test('small bodies do not wait', () => expect(largeBodyTurn(1000)).toBe(null));
