import type { Lab } from '../../test/attacks/lab.ts';
import { cpuMsOf, holdingsOf, type Holdings } from '../../test/attacks/processes.ts';
import { atMost, note, type Row } from './table.ts';

/** Longer than an idle thread and a spare engine are kept. */
const REST_MS = 80_000;
const IDLE_MS = 10_000;

/** What many timeouts in a row leave behind: threads, descriptors, memory, and work. Both times are looked at after the same rest. */
export async function timeouts(lab: Lab, times: number): Promise<readonly Row[]> {
  const attack = (many: number) => series(lab, many);
  // What a host has once it has seen every kind of this work: pools of Node's and V8's own grow to their size once.
  await attack(20);
  const before = await rested(lab);
  const from = performance.now();
  await attack(times);
  const took = performance.now() - from;
  const after = await rested(lab);
  const cpu = cpuMsOf(lab.pid);
  await pause(IDLE_MS);
  const percent = ((cpuMsOf(lab.pid) - cpu) / IDLE_MS) * 100;
  return [
    atMost(`${times} timeouts in a row: threads more than before`, after.threads - before.threads, 2, ''),
    atMost(`${times} timeouts in a row: descriptors more than before`, after.descriptors - before.descriptors, 2, ''),
    atMost(`${times} timeouts in a row: memory more than before`, after.megabytes - before.megabytes, 30, 'MiB'),
    atMost(`${times} timeouts in a row: processor idle afterwards`, percent, 2, '%'),
    note('before / after', `${shown(before)} / ${shown(after)}; took ${(took / 1000).toFixed(0)} s`),
  ];
}

async function series(lab: Lab, times: number): Promise<void> {
  const options = { timeout: 0.05 };
  let left = times;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      const run = await lab.run('timeouts', 'endless_loop', options);
      if (run.status !== 'timed_out') throw new Error(`not timed out: ${JSON.stringify(run.error)}`);
    }
  };
  await Promise.all([lane(), lane()]);
}

async function rested(lab: Lab): Promise<Holdings> {
  await pause(REST_MS);
  return holdingsOf(lab.pid);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function shown({ processes, threads, descriptors, megabytes }: Holdings): string {
  return `${processes} processes, ${threads} threads, ${descriptors} descriptors, ${megabytes.toFixed(0)} MiB`;
}
