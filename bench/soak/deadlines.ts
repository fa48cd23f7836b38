import type { Lab } from '../../test/attacks/lab.ts';
import { atMost, note, percentile, type Row } from './table.ts';

const TIMEOUT_MS = 250;

/** How long after a deadline the caller has its answer, and the thread is gone. */
export async function deadlines(lab: Lab, times: number): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const action of ['endless_loop', 'uninterruptible']) {
    const answered: number[] = [];
    const recorded: number[] = [];
    const gone: number[] = [];
    for (let n = 0; n < times; n += 1) {
      // Four engines lost by one tenant are not yet a reason for quarantine.
      const tenant = `late-${action}-${Math.floor(n / 4)}`;
      const options = { timeout: TIMEOUT_MS / 1000 };
      await lab.prepare(tenant, action, options);
      const from = performance.now();
      const run = await lab.run(tenant, action, options);
      answered.push(performance.now() - from - TIMEOUT_MS);
      const { ending } = await lab.runWhen(tenant, run.id, (stored) => stored.ending !== null);
      recorded.push(ending.answered_after_ms);
      // Without a thread to end it had not begun: a cold start took longer than its deadline.
      if (ending.thread_gone_after_ms !== null) gone.push(ending.thread_gone_after_ms);
    }
    rows.push(
      atMost(`${action}: deadline to caller answered, p99, seen by the client`, percentile(answered, 0.99), 50, 'ms'),
      atMost(`${action}: deadline to caller answered, p99, on the record`, percentile(recorded, 0.99), 50, 'ms'),
      atMost(
        `${action}: deadline to thread gone, p99`,
        percentile(gone, 0.99),
        action === 'endless_loop' ? 100 : 1000,
        'ms',
      ),
      note(
        `${action}: p50 of the three, times`,
        `${[answered, recorded, gone].map((all) => percentile(all, 0.5).toFixed(1)).join(' / ')} ms, ${gone.length} of ${times} had begun`,
      ),
    );
  }
  return rows;
}
