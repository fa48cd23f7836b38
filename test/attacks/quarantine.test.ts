import { afterAll, beforeAll, expect, it } from 'vitest';
import { cleanUp } from '../support/host-process.ts';
import { startLab, type Lab } from './lab.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab();
});
afterAll(cleanUp);

async function plugin(tenant: string): Promise<{ state: string; health: Record<string, number> }> {
  return (await lab.request('GET', '/api/plugins/hostile', undefined, tenant)).body;
}

it('a plugin that keeps costing engines is quarantined for that tenant, fails fast there, works for others, and an admin can lift it', async () => {
  expect(await plugin('evil')).toMatchObject({ state: 'enabled', health: { killed: 0, quarantined_for_ms: 0 } });
  for (let kills = 0; kills < 5; ) {
    const run = await lab.run('evil', 'uninterruptible', { timeout: 0.3 });
    expect(run).toMatchObject({ status: 'timed_out' });
    const { ending } = await lab.runWhen('evil', run.id, (stored) => stored.ending !== null);
    // On a busy machine a new engine may not have begun it in time.
    if (ending.engine_killed) kills += 1;
  }
  const held = await plugin('evil');
  expect(held).toMatchObject({ state: 'quarantined', health: { killed: 5 } });
  expect(held.health['quarantined_for_ms']).toBeGreaterThan(0);

  const refused = await lab.run('evil', 'answer');
  expect(refused).toMatchObject({ status: 'failed', error: { code: 'PLUGIN_QUARANTINED' } });
  expect(refused.duration_ms).toBeLessThan(5000);
  expect(await lab.run('innocent', 'answer')).toMatchObject({ status: 'succeeded' });
  expect(await plugin('innocent')).toMatchObject({ state: 'enabled' });

  expect((await lab.request('POST', '/api/plugins/hostile/enable', {}, 'evil')).status).toBe(200);
  expect(await plugin('evil')).toMatchObject({ state: 'enabled', health: { quarantined_for_ms: 0, killed: 5 } });
  expect(await lab.run('evil', 'answer')).toMatchObject({ status: 'succeeded' });
});

it('timeouts whose thread could be ended are no reason for quarantine', async () => {
  for (let n = 0; n < 6; n += 1)
    expect(await lab.run('slow', 'endless_loop', { timeout: 0.3 })).toMatchObject({ status: 'timed_out' });
  expect(await plugin('slow')).toMatchObject({ state: 'enabled', health: { killed: 0, quarantined_for_ms: 0 } });
});
