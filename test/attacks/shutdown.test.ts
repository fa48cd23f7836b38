import { afterAll, beforeAll, expect, it } from 'vitest';
import { cleanUp, until } from '../support/host-process.ts';
import { hostilePlugins, startLab } from './lab.ts';
import { isAlive, processesOf } from './processes.ts';

let pluginsDir: string;

beforeAll(async () => {
  pluginsDir = await hostilePlugins();
});
afterAll(cleanUp);

it.each(['uninterruptible', 'grow_map', 'log_flood'])(
  'SIGTERM in the middle of %s: readiness goes, what is left goes back to the queue, and the host ends with status 0 and leaves no process',
  async (attack) => {
    const lab = await startLab({ pluginsDir, env: { GOFLOW_DRAIN_TIMEOUT: '1' } });
    await lab.run('innocent', 'answer');
    const ids = await Promise.all([lab.begin('evil', attack), lab.begin('evil', attack)]);
    const waiting = await lab.begin('innocent', 'answer', { config: { ms: 30_000 } });
    await lab.runWhen('innocent', waiting, ({ steps }) => steps.length > 0);
    const processes = processesOf(lab.pid);
    const began = performance.now();
    const ended = lab.host.stop();
    await lab.host.line(({ msg }) => msg === 'shutting down');
    const refused = await lab
      .request('GET', '/readyz')
      .then((answer) => answer.status)
      .catch(() => 503);
    expect(refused).toBe(503);
    expect(await ended).toEqual({ code: 0, signal: null });
    // The drain time of a second, and room for a busy machine.
    expect(performance.now() - began).toBeLessThan(8000);
    await until(
      async () => processes.filter(isAlive),
      (left) => left.length === 0,
    );

    const next = await startLab({ pluginsDir, dataDir: lab.host.dataDir, env: { GOFLOW_DRAIN_TIMEOUT: '0' } });
    const run = await next.runWhen('innocent', waiting, ({ steps }) => steps.length > 0);
    expect(['queued', 'running']).toContain(run.status);
    for (const id of ids) {
      const { body } = await next.request('POST', `/api/runs/${id}/cancel`, {}, 'evil');
      // 409: the bomb was quicker, and its run has ended.
      expect(['cancelled', 409]).toContain(body.status);
    }
    expect(await next.host.stop()).toEqual({ code: 0, signal: null });
  },
);

it('a second signal ends the host at once', async () => {
  const lab = await startLab({ pluginsDir, env: { GOFLOW_DRAIN_TIMEOUT: '60' } });
  await lab.begin('evil', 'endless_loop');
  const processes = processesOf(lab.pid);
  const ended = lab.host.stop('SIGTERM');
  await lab.host.line(({ msg }) => msg === 'shutting down');
  // One that follows at once is the same: a terminal signals npm and the host, and npm passes it on.
  const again = setInterval(() => lab.host.child.kill('SIGINT'), 100);
  expect((await ended).signal ?? (await ended).code).toBe(1);
  clearInterval(again);
  await until(
    async () => processes.filter(isAlive),
    (left) => left.length === 0,
  );
});
