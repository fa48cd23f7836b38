import { expect, test } from 'vitest';
import { createAdmission } from '../../src/run/admission.ts';

test('a place is had at once while there is one, but one tenant cannot have all', () => {
  const admission = createAdmission({ running: 10, queuedPerTenant: 5 });
  const entered = Array.from({ length: 10 }, () => admission.tryEnter('busy'));
  expect(entered.filter(Boolean)).toHaveLength(8);
  expect(admission.tryEnter('quiet')).toBe(true);
  expect(admission.tryEnter('other')).toBe(true);
  expect(admission.tryEnter('third')).toBe(false);
  admission.release('other');
  expect(admission.tryEnter('busy')).toBe(false);
  expect(admission.tryEnter('third')).toBe(true);
});

test('who waits is served in turns of tenants and of their workflows, and within those in order', () => {
  const admission = createAdmission({ running: 1, queuedPerTenant: 100 });
  expect(admission.tryEnter('x')).toBe(true);
  const order: string[] = [];
  const enqueue = (tenant: string, workflow: string, name: string) =>
    admission.enqueue(tenant, workflow, () => void order.push(`${tenant}:${name}`));
  for (const name of ['1', '2', '3']) enqueue('busy', 'w', name);
  enqueue('busy', 'v', '4');
  const leave = enqueue('quiet', 'w', 'left');
  enqueue('quiet', 'w', '5');
  expect(admission.queued).toBe(6);
  expect(leave()).toBe(true);
  expect(leave()).toBe(false);
  admission.release('x');
  for (const tenant of ['busy', 'quiet', 'busy', 'busy', 'busy']) admission.release(tenant);
  expect(order).toEqual(['busy:1', 'quiet:5', 'busy:4', 'busy:2', 'busy:3']);
  expect(admission).toMatchObject({ running: 0, queued: 0 });
});

test('a full queue has no room, for one tenant and for all together', () => {
  const admission = createAdmission({ running: 1, queuedPerTenant: 2 });
  admission.tryEnter('t');
  const fill = (tenant: string) => {
    while (admission.hasRoom(tenant)) admission.enqueue(tenant, 'w', () => {});
  };
  fill('a');
  expect(admission.queued).toBe(2);
  expect(admission.hasRoom('b')).toBe(true);
  for (const tenant of ['b', 'c', 'd', 'e', 'f']) fill(tenant);
  expect(admission.queued).toBe(10);
  expect(admission.hasRoom('g')).toBe(false);
});
