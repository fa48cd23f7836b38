import type { Lab } from '../../test/attacks/lab.ts';
import { MEMORY_BOMBS } from '../../test/attacks/hostile/src/memory-bombs.ts';
import { none, note, percentile, type Row } from './table.ts';

/** Every kind of memory bomb, many times. */
export async function bombs(lab: Lab, times: number): Promise<readonly Row[]> {
  const wrong: string[] = [];
  const notes: Row[] = [];
  for (const action of MEMORY_BOMBS) {
    const took: number[] = [];
    for (let n = 0; n < times; n += 1) {
      const from = performance.now();
      const run = await lab.run(`bomb-${action}-${Math.floor(n / 4)}`, action, { timeout: 50 });
      took.push(performance.now() - from);
      if (run.error?.code !== 'OUT_OF_MEMORY') wrong.push(`${action}: ${run.status} ${JSON.stringify(run.error)}`);
    }
    notes.push(
      note(
        `${action}: ended after, p50 / max`,
        `${percentile(took, 0.5).toFixed(0)} / ${Math.max(...took).toFixed(0)} ms`,
      ),
    );
  }
  const { exitCode, signalCode } = lab.host.child;
  const deaths = exitCode === null && signalCode === null ? [] : [`${exitCode ?? signalCode}`];
  return [
    none(`host deaths over ${MEMORY_BOMBS.length} kinds of memory bomb, ${times} times each`, deaths),
    none('bombs that ended otherwise than OUT_OF_MEMORY', wrong, MEMORY_BOMBS.length * times),
    ...notes,
  ];
}
