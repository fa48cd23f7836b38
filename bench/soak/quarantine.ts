import type { Lab } from '../../test/attacks/lab.ts';
import { none, type Row } from './table.ts';

/** Quarantine ends by itself: after its pause one run is let through, and if that is sound, all are. */
export async function quarantine(lab: Lab): Promise<readonly Row[]> {
  const wrong: string[] = [];
  const expectState = async (state: string) => {
    const { body } = await lab.request('GET', '/api/plugins/hostile', undefined, 'held');
    if (body.state !== state) wrong.push(`${body.state} instead of ${state}`);
    return body.health.quarantined_for_ms as number;
  };
  for (let kills = 0; kills < 5; ) {
    const run = await lab.run('held', 'uninterruptible', { timeout: 0.3 });
    const { ending } = await lab.runWhen('held', run.id, (stored) => stored.ending !== null);
    // On a busy machine a new engine may not have begun it in time.
    if (ending.engine_killed) kills += 1;
  }
  const pauseMs = await expectState('quarantined');
  const refused = await lab.run('held', 'answer');
  if (refused.error?.code !== 'PLUGIN_QUARANTINED') wrong.push(`not refused: ${refused.status}`);
  await new Promise((resolve) => setTimeout(resolve, pauseMs + 200));
  const probe = await lab.run('held', 'answer');
  if (probe.status !== 'succeeded') wrong.push(`the probe ${probe.status}: ${JSON.stringify(probe.error)}`);
  await expectState('enabled');
  return [
    none('quarantine after 5 lost engines, refusal, a sound probe and the end of it: steps that went wrong', wrong, 4),
  ];
}
