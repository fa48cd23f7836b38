import { afterEach, expect, test } from 'vitest';
import {
  addWorkflow,
  cleanUp,
  startHost,
  tempDir,
  until,
  type Json,
  type RunningHost,
} from '../support/running-host.ts';

afterEach(cleanUp);

const EVERY_SECOND = { cron: '* * * * * *', timezone: 'UTC' };

async function runsOf(host: RunningHost, id: string): Promise<Json[]> {
  return (await host.request('GET', `/api/workflows/${id}/runs?limit=200`)).body.items as Json[];
}

test('a schedule fires each tick once, across a restart, and makes up for what was missed', async () => {
  const dataDir = await tempDir();
  const first = await startHost({ dataDir });
  const id = await addWorkflow(first, {
    name: 'Every second',
    parameters: [{ name: 'plan', type: 'string', required: true }],
    schedule: { ...EVERY_SECOND, catch_up: 'all', parameters: { plan: 'pro' } },
  });
  await until(
    () => runsOf(first, id),
    (runs) => runs.length >= 2,
  );
  await first.stop();

  const second = await startHost({ dataDir });
  const runs = await until(
    () => runsOf(second, id),
    (found) => found.length >= 6,
  );
  await second.request('PUT', `/api/workflows/${id}/toggle`);
  const ticks = runs.map(({ trigger }) => Date.parse(trigger.scheduled_for)).toReversed();
  expect(new Set(ticks).size).toBe(ticks.length);
  const sorted = ticks.toSorted((a, b) => a - b);
  // Every second between the first and the last, those of the restart included.
  expect(sorted.map((tick) => (tick - (sorted[0] as number)) / 1000)).toEqual(sorted.map((_, i) => i));
  expect(runs.at(-1)).toMatchObject({
    status: 'succeeded',
    user_id: 'schedule',
    trigger: { type: 'schedule' },
    parameters: { plan: 'pro' },
  });
});

test('a workflow that is switched off does not fire, and fires again when it is switched on', async () => {
  const host = await startHost();
  const id = await addWorkflow(host, { name: 'Often', schedule: EVERY_SECOND });
  await until(
    () => runsOf(host, id),
    (runs) => runs.length >= 1,
  );
  await host.request('PUT', `/api/workflows/${id}/toggle`);
  const stopped = (await runsOf(host, id)).length;
  expect(host.host.scheduler.size).toBe(0);
  const witness = await addWorkflow(host, { name: 'Witness', schedule: EVERY_SECOND });
  await until(
    () => runsOf(host, witness),
    (runs) => runs.length >= 2,
  );
  // One may have been on its way.
  const now = (await runsOf(host, id)).length;
  expect(now - stopped).toBeLessThanOrEqual(1);
  await host.request('PUT', `/api/workflows/${id}/toggle`);
  await until(
    () => runsOf(host, id),
    (runs) => runs.length > now,
  );
  await host.request('DELETE', `/api/workflows/${id}`);
  expect(host.host.scheduler.size).toBe(1);
});

test('a schedule is checked when it is saved, shown as it was written, and removed by a patch', async () => {
  const host = await startHost();
  const wrong = await host.request('POST', '/api/workflows', {
    name: 'Wrong',
    parameters: [
      { name: 'count', type: 'integer', required: true },
      { name: 'token', type: 'string', secret: true },
    ],
    schedule: { cron: '99 * * * *', parameters: { count: 'many', token: 'abc', other: 1 } },
  });
  expect(wrong.status).toBe(400);
  expect(wrong.body.errors.map(({ pointer }: Json) => pointer).sort()).toEqual([
    '/schedule/cron',
    '/schedule/parameters/count',
    '/schedule/parameters/other',
    '/schedule/parameters/token',
  ]);
  const shape = await host.request('POST', '/api/workflows', { name: 'x', schedule: { every: '5m' } });
  expect(shape.body.errors.map(({ pointer }: Json) => pointer)).toEqual(expect.arrayContaining(['/schedule/every']));

  const id = await addWorkflow(host, { name: 'Nightly', schedule: { cron: '0 3 * * *', timezone: 'Europe/Berlin' } });
  const stored = (await host.request('GET', `/api/workflows/${id}`)).body;
  expect(stored.schedule).toEqual({ cron: '0 3 * * *', timezone: 'Europe/Berlin', catch_up: 'none' });
  expect(host.host.scheduler.size).toBe(1);
  const patched = await host.request('PATCH', `/api/workflows/${id}`, { schedule: null });
  expect([patched.status, patched.body.schedule, host.host.scheduler.size]).toEqual([200, undefined, 0]);
});
