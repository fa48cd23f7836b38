import { afterAll, describe, expect, it } from 'vitest';
import { cleanUp } from '../support/host-process.ts';
import { killTree } from '../support/kill-tree.ts';
import { allRuns } from './client.ts';
import { addWorkflow, killAtRandomMoments, prepare, unfinished } from './kills.ts';
import { until } from '../support/host-process.ts';

/** `npm run soak -- --only=kills` takes 50 and a seed of its own. */
const MOMENTS = 6;
const SEED = 20_261_123;

describe('a host that is killed at random moments under load', () => {
  afterAll(cleanUp);

  it('loses nothing, leaves nothing unfinished, and begins nothing twice without an interruption', async () => {
    const report = await killAtRandomMoments(MOMENTS, SEED);
    expect(report.broken).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(10);
    expect(report.repeated).toBeGreaterThan(0);
  }, 120_000);

  it('finds a batch of 1,000 runs within 2 s after the restart, and ends all within 15 s', async () => {
    const { witness, start } = await prepare();
    const host = await start();
    const workflow = await addWorkflow(host, { name: 'Slow', action: 'report', config: { ms: 100 } });
    const acknowledged = new Set<string>();
    const trigger = async (): Promise<void> => {
      for (let n = 0; n < 50; n += 1) {
        const { status, body } = await host.request('POST', `/api/workflows/${workflow}/trigger`, {
          parameters: { n },
        });
        expect(status).toBe(202);
        acknowledged.add(body.run_id as string);
      }
    };
    await Promise.all(Array.from({ length: 20 }, trigger));
    killTree(host.child.pid as number);
    await host.stop('SIGKILL');
    witness.nextLife();

    const next = await start();
    const ready = performance.now();
    const found = new Set((await allRuns(next)).map(({ id }) => id as string));
    expect(performance.now() - ready).toBeLessThan(2000);
    expect([...acknowledged].filter((id) => !found.has(id))).toEqual([]);
    await until(
      () => unfinished(next),
      (left) => left === 0,
      15_000,
    );
    const runs = await allRuns(next);
    expect(runs.filter(({ status }) => status !== 'succeeded')).toEqual([]);
    await next.stop();
    await witness.close();
  }, 60_000);
});
