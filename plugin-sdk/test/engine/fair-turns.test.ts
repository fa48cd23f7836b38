import { expect, test } from 'vitest';
import { FairQueue } from '../../src/runtime/fair-queue.ts';
import { createCall } from '../../src/runtime/engine-process/call.ts';
import { LaneCalls, Occupancy } from '../../src/runtime/engine-process/occupancy.ts';
import { CONTEXT, hostile, outputOf, TestEngine } from './harness.ts';

interface Item {
  readonly name: string;
}

function served(queue: FairQueue<Item>, passOver?: (tenant: string) => boolean): string[] {
  const names: string[] = [];
  for (let item = queue.next(passOver); item !== null; item = queue.next(passOver)) {
    queue.serve(item);
    names.push(item.name);
  }
  return names;
}

test('tenants take turns, and the workflows of a tenant do', () => {
  const queue = new FairQueue<Item>();
  for (const name of ['a1', 'a2', 'a3', 'a4']) queue.add('a', 'first', { name });
  for (const name of ['A1', 'A2']) queue.add('a', 'second', { name });
  for (const name of ['b1', 'b2']) queue.add('b', 'first', { name });
  expect(queue.size).toBe(8);
  expect(served(queue)).toEqual(['a1', 'b1', 'A1', 'b2', 'a2', 'A2', 'a3', 'a4']);
  expect(queue.size).toBe(0);
});

test('items can leave before their turn, and tenants be passed over', () => {
  const queue = new FairQueue<Item>();
  const items = ['a1', 'a2', 'a3'].map((name) => ({ name }));
  for (const item of items) queue.add('a', 'w', item);
  queue.add('b', 'w', { name: 'b1' });
  expect(queue.delete(items[1] as Item)).toBe(true);
  expect(queue.delete(items[1] as Item)).toBe(false);
  expect(queue.sizeOf('a')).toBe(2);
  expect(served(queue, (tenant) => tenant === 'a')).toEqual(['b1']);
  expect([...queue]).toEqual([items[0], items[2]]);
  expect(served(queue)).toEqual(['a1', 'a3']);
});

test('one tenant and one workflow cannot have all places, where there are some', () => {
  const call = (tenantId: string, workflowId: string) =>
    createCall({ type: 'invoke', remainingMs: 1000, context: { ...CONTEXT, tenantId, workflowId } } as never);
  const occupancy = new Occupancy(64);
  const first = new LaneCalls(occupancy);
  const second = new LaneCalls(occupancy);
  for (let key = 0; key < 48; key += 1) (key % 2 === 0 ? first : second).set(key, call('busy', 'w'));
  expect(occupancy.isAtLimit('busy', 'w')).toBe(true);
  expect(occupancy.isAtLimit('busy', 'v')).toBe(false);
  for (let key = 48; key < 56; key += 1) first.set(key, call('busy', 'v'));
  expect(occupancy.isAtLimit('busy', 'v')).toBe(true);
  expect(occupancy.isAtLimit('quiet', 'w')).toBe(false);
  first.delete(0);
  first.delete(0);
  expect(occupancy.isAtLimit('busy', 'w')).toBe(false);
  first.clear();
  second.clear();
  const small = new Occupancy(2);
  new LaneCalls(small).set(1, call('busy', 'w'));
  expect(small.isAtLimit('busy', 'w')).toBe(false);
});

test('a call of a quiet tenant does not wait for the hundreds of a busy one', async () => {
  await using engine = await TestEngine.start({ lanesPerBundle: 2 });
  const bundle = hostile('mixed', { concurrency: 1 });
  let done = 0;
  const busy = Array.from({ length: 300 }, () => engine.start(bundle, { action: 'wait', input: 5, tenantId: 'busy' }));
  for (const call of busy) void call.outcome.then(() => (done += 1));
  await busy[0]?.outcome;
  for (let count = 0; count < 10; count += 1) {
    const before = done;
    const quiet = engine.start(bundle, { action: 'wait', input: 1, tenantId: 'quiet' });
    expect(outputOf(await quiet.outcome)).toBe('waited');
    // What was on the two workers, and about as much while it was there.
    expect(done - before).toBeLessThan(20);
  }
  expect(done).toBeLessThan(busy.length);
  for (const call of busy) expect(outputOf(await call.outcome)).toBe('waited');
});
