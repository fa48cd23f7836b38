// What a busy tenant, and a busy workflow of the same tenant, cost a quiet one that uses the same plugin: latency of one trigger at a time with `?wait`, idle and
// while thousands of the busy one's runs wait for the plugin's threads. `node bench/fairness.ts`
import { copyFileSync, mkdtempSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildConnector } from '../test/support/connector.ts';
import { cleanUp } from '../test/support/host-process.ts';
import { ROOT, startServer } from './server.ts';

const SAMPLES = Number(process.env['BENCH_SAMPLES'] ?? 500);
const BACKLOG = 3000;
const KEY = 'bootstrap-key-of-this-bench';

// 64 calls at once on four threads, each of which waits 100 ms: 640 runs a second, far fewer than are waiting.
const CONNECTOR = `
import { defineAction, defineConnector } from '@goflow/plugin-sdk';
export default defineConnector({
  name: 'pausing', version: '1.0.0', title: 'Pausing', description: 'Waits.', limits: { concurrency: 16 },
  actions: { pause: defineAction({
    title: 'Pause',
    input: { type: 'object', properties: { ms: { type: 'integer' } }, additionalProperties: false },
    async run(ctx, input) { if (input.ms) await ctx.sleep(input.ms); return null; },
  }) },
});
`;

const plugins = mkdtempSync(path.join(tmpdir(), 'goflow-bench-'));
const bundle = await buildConnector(CONNECTOR);
copyFileSync(bundle, path.join(plugins, path.basename(bundle)));
const server = await startServer([path.join(ROOT, 'host/dist/main.js'), 'start', '--port', '0'], {
  GOFLOW_PLUGINS_DIR: plugins,
  GOFLOW_ADMIN_KEY: KEY,
  GOFLOW_LOG_LEVEL: 'warn',
  GOFLOW_LOG_LEVELS: 'host=info',
});
const agent = new Agent({ keepAlive: true });
await send('quiet', 'PUT', '/api/plugins/pausing/grants', { permissions: {} });
const quiet = await workflow('quiet', 0);
const busyTenant = await workflow('busy', 100);
const busyWorkflow = await workflow('quiet', 100);

await measure(100);
const idle = await measure(SAMPLES);
const rows = [['idle', ...shown(idle), '']];
for (const [name, tenant, id] of [
  ['beside a busy tenant', 'busy', busyTenant],
  ['beside a busy workflow of its own', 'quiet', busyWorkflow],
] as const) {
  const feeding = feed(tenant, id);
  await feeding.full;
  const beside = await measure(SAMPLES);
  await feeding.stop();
  rows.push([name, ...shown(beside), (at(beside, 0.99) / at(idle, 0.99)).toFixed(1)]);
  await emptied();
}
process.stdout.write('| one trigger at a time | p50 ms | p99 ms | p99 / idle |\n|---|---|---|---|\n');
for (const row of rows) process.stdout.write(`| ${row.join(' | ')} |\n`);
agent.destroy();
await server.stop();
await cleanUp();

async function workflow(tenant: string, ms: number): Promise<string> {
  const made = await send(tenant, 'POST', '/api/workflows', { name: `${ms}`, action: 'pause', config: { ms } });
  return (made as { id: string }).id;
}

async function measure(samples: number): Promise<number[]> {
  const times: number[] = [];
  for (let count = 0; count < samples; count += 1) {
    const from = performance.now();
    await send('quiet', 'POST', `/api/workflows/${quiet}/trigger?wait=30`, {});
    times.push(performance.now() - from);
  }
  return times.sort((a, b) => a - b);
}

/** Keeps a backlog of runs. */
function feed(tenant: string, id: string): { full: Promise<void>; stop(): Promise<void> } {
  const state = { stopped: false };
  const full = Promise.withResolvers<void>();
  const feeding = (async () => {
    while (!state.stopped) {
      const missing = BACKLOG - (await inHand());
      for (let left = missing; left > 0 && !state.stopped; left -= 20)
        await Promise.all(
          Array.from({ length: Math.min(20, left) }, () => send(tenant, 'POST', `/api/workflows/${id}/trigger`, {})),
        );
      full.resolve();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  })();
  return {
    full: full.promise,
    async stop() {
      state.stopped = true;
      await feeding;
    },
  };
}

async function inHand(): Promise<number> {
  const text = (await send('quiet', 'GET', '/metrics')) as string;
  return Number(/^goflow_runs_running (\d+)/m.exec(text)?.[1]) + Number(/^goflow_runs_queued (\d+)/m.exec(text)?.[1]);
}

async function emptied(): Promise<void> {
  while ((await inHand()) > 0) await new Promise((resolve) => setTimeout(resolve, 200));
}

function at(times: readonly number[], share: number): number {
  return times[Math.min(times.length - 1, Math.floor(times.length * share))] as number;
}

function shown(times: readonly number[]): string[] {
  return [at(times, 0.5).toFixed(2), at(times, 0.99).toFixed(2)];
}

function send(tenant: string, method: string, target: string, body?: unknown): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const headers = {
    authorization: `Bearer ${KEY}`,
    'x-tenant-id': tenant,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const sent = request(server.url + target, { method, agent, headers }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    response.on('end', () => {
      if ((response.statusCode ?? 500) >= 300) reject(new Error(`${method} ${target}: ${response.statusCode} ${text}`));
      else resolve((response.headers['content-type'] ?? '').includes('json') ? JSON.parse(text) : text);
    });
  });
  sent.on('error', reject);
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}
