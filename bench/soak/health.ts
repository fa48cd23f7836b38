import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Lab, Trigger } from '../../test/attacks/lab.ts';
import { MEMORY_BOMBS } from '../../test/attacks/hostile/src/memory-bombs.ts';
import { ROOT, startServer } from '../server.ts';
import { atMost, note, percentile, type Row } from './table.ts';

/** `/healthz` of a host under attack, asked from another process; beside it a plain server that nobody attacks, for what the machine itself adds. */
export async function health(lab: Lab, rounds: number): Promise<readonly Row[]> {
  const plain = await startServer([path.join(ROOT, 'bench/soak/plain-server.ts')]);
  const prober = fork(path.join(ROOT, 'bench/soak/prober.ts'), [`${lab.host.url}/healthz`, `${plain.url}/healthz`]);
  const take = async () => {
    prober.send('times');
    const [times] = (await once(prober, 'message')) as [number[][]];
    return times as [number[], number[]];
  };
  const rows: Row[] = [];
  let all: number[] = [];
  let reference: number[] = [];
  await pause(2000);
  await take();
  await pause(3000);
  const [calm] = await take();
  for (const [action, options] of attacks()) {
    for (let round = 0; round < rounds; round += 1)
      await lab.run(`health-${action}-${Math.floor(round / 4)}`, action, options);
    const [attacked, beside] = await take();
    rows.push(
      note(
        `/healthz during ${action} ${options.config === undefined ? '' : JSON.stringify(options.config)}: p50 / p99 / max; a plain server beside it`,
        `${spread(attacked)}, ${spread(beside)} ms (${attacked.length} asked)`,
      ),
    );
    all = [...all, ...attacked];
    reference = [...reference, ...beside];
  }
  prober.disconnect();
  await plain.stop();
  return [
    note('/healthz at rest: p50 / p99 / max', `${spread(calm)} ms`),
    ...rows,
    atMost('/healthz during all attacks, p99', percentile(all, 0.99), 20, 'ms'),
    atMost('/healthz during all attacks, max', Math.max(...all), 100, 'ms'),
    note('the plain server beside them: p50 / p99 / max', `${spread(reference)} ms`),
  ];
}

function attacks(): ReadonlyArray<readonly [action: string, options: Trigger]> {
  const quick = { timeout: 1 };
  return [
    ...MEMORY_BOMBS.map((action) => [action, { timeout: 30 }] as const),
    ...['endless_loop', 'uninterruptible', 'catastrophic_regexp', 'microtask_storm', 'never_settles'].map(
      (action) => [action, quick] as const,
    ),
    ...['log_flood', 'progress_flood', 'ask_flood'].map((action) => [action, quick] as const),
    ...['huge', 'cyclic', 'deep', 'endless_proxy', 'endless_thenable'].map(
      (kind) => ['hostile_result', { timeout: 1, config: { kind } }] as const,
    ),
    ['deep_recursion', quick],
    ['leave_loop', quick],
    ['leave_uninterruptible', quick],
  ];
}

function spread(times: readonly number[]): string {
  return [percentile(times, 0.5), percentile(times, 0.99), Math.max(0, ...times)]
    .map((ms) => ms.toFixed(1))
    .join(' / ');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
