import { hostilePlugins, startInnocents, startLab } from '../../test/attacks/lab.ts';
import { isAlive, processesOf } from '../../test/attacks/processes.ts';
import { tempDir } from '../../test/support/host-process.ts';
import { atMost, none, type Row } from './table.ts';

const DRAIN_MS = 1000;
const ATTACKS = ['endless_loop', 'uninterruptible', 'grow_map', 'log_flood', 'microtask_storm', 'parse_huge_json'];

/** SIGTERM under load and attack: always status 0, in the drain time and a second, with nothing left. */
export async function shutdown(times: number): Promise<readonly Row[]> {
  const took: number[] = [];
  const wrong: string[] = [];
  const pluginsDir = await hostilePlugins();
  let dataDir = await tempDir();
  for (let n = 0; n < times; n += 1) {
    // The same data again and again, so that each start takes up what the last one handed back; a new one now and then.
    if (n % 10 === 0) dataDir = await tempDir();
    const lab = await startLab({ pluginsDir, dataDir, env: { GOFLOW_DRAIN_TIMEOUT: String(DRAIN_MS / 1000) } });
    const load = startInnocents(lab, 4);
    const attack = ATTACKS[n % ATTACKS.length] as string;
    await Promise.all([0, 1, 2].map(() => lab.begin(`evil-${n}`, attack, { timeout: 20 })));
    await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 300));
    const processes = processesOf(lab.pid);
    const from = performance.now();
    const { code, signal } = await lab.host.stop(n % 2 === 0 ? 'SIGTERM' : 'SIGINT');
    took.push(performance.now() - from);
    if (code !== 0) wrong.push(`${attack}: ended with ${signal ?? code}`);
    const left = processes.filter(isAlive);
    if (left.length > 0) wrong.push(`${attack}: left ${left.length} processes`);
    // Its connections end with the host: what counts here is how that ends.
    await load.stop();
  }
  return [
    none(`SIGTERM ${times} times under load and attack: not a clean exit, or something left`, wrong, times),
    atMost('to the exit, worst', Math.max(...took), DRAIN_MS + 1000, 'ms'),
  ];
}
