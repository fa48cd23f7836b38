import { afterAll, beforeAll, expect, it } from 'vitest';
import { cleanUp, until } from '../support/host-process.ts';
import { MEMORY_BOMBS } from './hostile/src/memory-bombs.ts';
import { RESULT_KINDS } from './hostile/src/results.ts';
import { THROWN_KINDS } from './hostile/src/throws.ts';
import { startInnocents, startLab, type Innocents, type Lab } from './lab.ts';
import { enginesOf, holdingsOf, isKnown, type Holdings } from './processes.ts';
import { startSink, type Sink } from './sink.ts';

// Every attack that is in the bundle, one after the other against one host, while others' runs go on beside them: on the very threads of the attacker and
// on another plugin. What an attack ends with is checked here; how quickly is a figure of `npm run soak`.

let lab: Lab;
let innocents: Innocents;
let sink: Sink;
let before: Holdings;
const hostPid = () => lab.host.child.exitCode ?? lab.host.child.signalCode ?? lab.pid;

beforeAll(async () => {
  sink = await startSink();
  lab = await startLab({
    env: { GOFLOW_EGRESS_ALLOW_PRIVATE: `127.0.0.1:${sink.port},127.0.0.1:${sink.web}` },
  });
  await lab.run('innocent', 'answer');
  await lab.run('innocent', 'testing/testing');
  before = holdingsOf(lab.pid);
  innocents = startInnocents(lab, 2);
});

afterAll(async () => {
  await cleanUp();
  await sink.close();
});

it.each(MEMORY_BOMBS)('%s: fails with OUT_OF_MEMORY', async (action) => {
  const run = await lab.run(`evil-${action}`, action);
  expect(run).toMatchObject({ status: 'failed', error: { code: 'OUT_OF_MEMORY' }, ended_by: null, ending: null });
});

it.each(['endless_loop', 'catastrophic_regexp', 'microtask_storm', 'never_settles', 'uninterruptible'])(
  '%s: is timed_out, and the record says when its thread was gone',
  async (action) => {
    for (;;) {
      const run = await lab.run(`evil-${action}`, action, { timeout: 0.4 });
      expect(run).toMatchObject({
        status: 'timed_out',
        error: { code: 'DEADLINE_EXCEEDED' },
        ended_by: 'deadline',
      });
      const { ending, ...rest } = await lab.runWhen(`evil-${action}`, run.id, (stored) => stored.ending !== null);
      expect({ ...rest, ending: run.ending }).toEqual(run);
      expect(ending.answered_after_ms).toBeGreaterThanOrEqual(0);
      // On a busy machine a new engine may not have begun it in time; then there was nothing to end.
      if (ending.thread_gone_after_ms === null) continue;
      expect(ending.thread_gone_after_ms).toBeGreaterThan(0);
      if (action === 'uninterruptible') expect(ending.engine_killed).toBe(true);
      return;
    }
  },
);

it.each(['log_flood', 'progress_flood', 'ask_flood'])(
  '%s: is ended, by its deadline or for what it did',
  async (action) => {
    const run = await lab.run(`evil-${action}`, action, { timeout: 0.4 });
    expect(['DEADLINE_EXCEEDED', 'OUT_OF_MEMORY', 'PLUGIN_CRASHED']).toContain(run.error.code);
    const { body } = await lab.request('GET', `/api/runs/${run.id}/logs?limit=200`, undefined, `evil-${action}`);
    expect(body.items.length).toBeLessThanOrEqual(200);
  },
);

const RESULT_CODES: Readonly<Record<string, string>> = {
  huge: 'RESULT_TOO_LARGE',
  cyclic: 'RESULT_NOT_JSON',
  deep: 'RESULT_NOT_JSON',
  bigint: 'RESULT_NOT_JSON',
  changing_json: 'RESULT_NOT_JSON',
  endless_proxy: 'RESULT_TOO_LARGE|OUT_OF_MEMORY|DEADLINE_EXCEEDED',
  endless_thenable: 'DEADLINE_EXCEEDED',
};

it.each(RESULT_KINDS)('the result %s: fails with a code that names the cause', async (kind) => {
  const run = await lab.run(`evil-result-${kind}`, 'hostile_result', {
    config: { kind },
    timeout: kind.startsWith('endless_') ? 1 : 20,
  });
  expect((RESULT_CODES[kind] ?? 'CONNECTOR_ERROR').split('|')).toContain(run.error.code);
  expect(run.error.message.length).toBeLessThan(5000);
});

it.each(THROWN_KINDS)('throwing %s: is a CONNECTOR_ERROR with a readable message', async (kind) => {
  const run = await lab.run('evil-throws', 'throw_anything', { config: { kind } });
  expect(run).toMatchObject({ status: 'failed', error: { code: 'CONNECTOR_ERROR' } });
  expect(run.error.message).toMatch(/^.{1,20000}$/su);
});

it('deep recursion: is a CONNECTOR_ERROR', async () => {
  const run = await lab.run('evil-recursion', 'deep_recursion');
  expect(run).toMatchObject({ status: 'failed', error: { code: 'CONNECTOR_ERROR' } });
});

it('what is left behind is gone: timers, late rejections, loops of promises, frozen continuations and sockets', async () => {
  for (const action of ['leave_timers', 'leave_rejections', 'leave_loop', 'leave_uninterruptible'])
    expect(await lab.run('evil-leaves', action)).toMatchObject({ status: 'succeeded', output: 'left' });
  const values = { host: '127.0.0.1', port: sink.port, web: sink.web };
  const credential = { name: 'sink', plugin: 'hostile', values };
  expect((await lab.request('POST', '/api/credentials', credential, 'evil-leaves')).status).toBe(201);
  const run = await lab.run('evil-leaves', 'leave_sockets', { credential: 'sink' });
  expect(run, JSON.stringify(run.error)).toMatchObject({ status: 'succeeded', output: 'left' });
  expect(sink.connections).toBe(5);
  await until(
    async () => sink.open,
    (open) => open === 0,
  );
  const { bytes } = sink;
  expect(await lab.run('evil-leaves', 'answer', { config: { ms: 100 } })).toMatchObject({ status: 'succeeded' });
  expect(sink.bytes).toBe(bytes);
});

it('through all of this the host lived, no run of the innocent was lost or failed, and nothing is left of the attacks', async () => {
  await innocents.stop();
  expect(innocents.lost).toEqual([]);
  expect(innocents.answered).toBeGreaterThan(20);
  expect(hostPid()).toBe(lab.pid);
  expect(lab.host.lines.filter(({ level }) => level === 'fatal' || level === 'error')).toEqual([]);
  expect((await lab.request('GET', '/readyz')).status).toBe(200);
  if (!isKnown) return;
  // A spare engine is kept for a minute after trouble; threads of the one that serves go within 15 seconds.
  const [engine] = enginesOf(lab.pid);
  const now = await until(
    async () => holdingsOf(lab.pid),
    ({ processes, threads }) => {
      const spares = processes - before.processes;
      // A new engine has threads of Node's own that the first one had not used yet.
      return spares <= 1 && threads <= before.threads + 8 + Math.max(0, spares) * 14;
    },
    25_000,
  );
  expect(now.sockets).toBeLessThanOrEqual(before.sockets + 12);
  expect(await lab.host.stop()).toEqual({ code: 0, signal: null });
  expect(() => process.kill(engine as number, 0)).toThrow('ESRCH');
});
