import { startInnocents, type Lab } from '../../test/attacks/lab.ts';
import { enginesOf } from '../../test/attacks/processes.ts';
import { atMost, none, note, percentile, type Row } from './table.ts';

/** SIGKILL for the engine that serves, again and again under load: how long until a run that was triggered after it is answered. */
export async function engineLoss(lab: Lab, times: number): Promise<readonly Row[]> {
  const load = startInnocents(lab, 8);
  const recovered: number[] = [];
  for (let n = 0; n < times; n += 1) {
    await new Promise((resolve) => setTimeout(resolve, 150 + Math.random() * 300));
    const [engine] = enginesOf(lab.pid);
    if (engine === undefined) continue;
    const from = performance.now();
    process.kill(engine, 'SIGKILL');
    const run = await lab.run('innocent', 'testing/testing', { config: { response: n } });
    if (run.status === 'succeeded') recovered.push(performance.now() - from);
  }
  await load.stop();
  return [
    atMost(
      `engine killed ${times} times under load: to the next good answer, worst`,
      Math.max(...recovered),
      500,
      'ms',
    ),
    note('to the next good answer, p50', `${percentile(recovered, 0.5).toFixed(0)} ms`),
    none('runs lost by it', load.lost, load.answered),
  ];
}
