// `npm run bench`: what the walls and the durability cost, against bare Koa, in turn in one run. The server has one core, this client the other.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { load, type Load } from './load.ts';
import { canPin, memoryOf, ROOT, startServer, type Server } from './server.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 5);
const WARM_UP_SECONDS = 10;
const CONNECTIONS = [1, 32, 128];
const PARAMETERS = { customer_name: 'Alex', email: 'alex@example.com', plan: 'pro' };
const BODY = JSON.stringify({ parameters: PARAMETERS });
const HOST = [path.join(ROOT, 'host/dist/main.js'), 'start', '--port', '0'];
const PLUGINS = {
  GOFLOW_PLUGINS_DIR: path.join(ROOT, 'plugins'),
  GOFLOW_RATE_LIMIT: 'off',
  GOFLOW_RATE_LIMIT_TENANT: 'off',
};

const WORKFLOW = {
  name: 'Bench',
  parameters: [
    { name: 'customer_name', type: 'string', required: true, maxLength: 80 },
    { name: 'email', type: 'string', required: true },
    { name: 'plan', type: 'string', default: 'free', enum: ['free', 'pro'] },
  ],
  action: 'testing',
  config: { response: { message: 'Welcome {{params.customer_name}}! Your {{params.plan}} plan is ready.' } },
};

if (canPin) spawnSync('taskset', ['-cp', '1', String(process.pid)]);

const goflow = await startServer(HOST, PLUGINS);
const trigger = await prepare(goflow);
const firstAnswerMs = goflow.readyMs + (await timed(() => post(`${trigger}?wait=10`, BODY)));
// Idle is what is left when the first call's garbage has gone.
await new Promise((resolve) => setTimeout(resolve, 3000));
const idle = memoryOf(goflow.child.pid as number);
const koa = await startServer([path.join(ROOT, 'bench/bare-koa.ts')]);

// Both have run for a while when the first figure is taken: what they cost while V8 still compiles them is told by the start times.
await load(`${koa.url}/trigger`, 32, WARM_UP_SECONDS, BODY);
await load(`${trigger}?wait=10`, 32, WARM_UP_SECONDS, BODY);

const rows: string[][] = [['connections', 'server', 'requests/s', 'p50 ms', 'p99 ms', 'ratio']];
let underLoad = 0;
let bad = 0;
for (const connections of CONNECTIONS) {
  const reference = await load(`${koa.url}/trigger`, connections, SECONDS, BODY);
  const sampling = setInterval(() => (underLoad = Math.max(underLoad, memoryOf(goflow.child.pid as number))), 500);
  const measured = await load(`${trigger}?wait=10`, connections, SECONDS, BODY);
  clearInterval(sampling);
  const accepted = await load(trigger, connections, SECONDS, BODY);
  await quiet(goflow);
  bad += reference.bad + measured.bad + accepted.bad;
  rows.push(row(connections, 'bare Koa + ajv', reference, reference));
  rows.push(row(connections, 'goflow, ?wait', measured, reference));
  rows.push(row(connections, 'goflow, 202', accepted, reference));
}
await koa.stop();
await goflow.stop();

print(rows);
console.log();
print([
  ['what', 'value'],
  ['host ready after', `${goflow.readyMs.toFixed(0)} ms`],
  ['start to first answer', `${firstAnswerMs.toFixed(0)} ms`],
  ['memory idle, all processes', `${idle.toFixed(0)} MiB`],
  ['memory under load, all processes', `${underLoad.toFixed(0)} MiB`],
  ['answers that were not 200 or 202', String(bad)],
  ['cores', canPin ? 'server 0, client 1' : 'not pinned'],
]);
console.log();
spawnSync(process.execPath, [path.join(ROOT, 'bench/dispatch.ts')], { stdio: 'inherit' });

async function prepare(server: Server): Promise<string> {
  const made = await post(`${server.url}/api/workflows`, JSON.stringify(WORKFLOW));
  return `${server.url}/api/workflows/${(made as { id: string }).id}/trigger`;
}

async function post(url: string, body: string): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${url}: ${JSON.stringify(answer)}`);
  return answer;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** Runs that were only accepted go on after their answers: the next measurement begins when they have ended. */
async function quiet(server: Server): Promise<void> {
  for (let open = 1; open > 0; ) {
    const pages = await Promise.all(
      ['queued', 'running'].map((status) =>
        fetch(`${server.url}/api/runs?limit=1&status=${status}`).then((answer) => answer.json()),
      ),
    );
    open = (pages as { items: unknown[] }[]).reduce((sum, page) => sum + page.items.length, 0);
    if (open > 0) await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function row(connections: number, name: string, measured: Load, reference: Load): string[] {
  const ratio = measured.requestsPerSecond / reference.requestsPerSecond;
  return [
    String(connections),
    name,
    measured.requestsPerSecond.toFixed(0),
    measured.p50.toFixed(2),
    measured.p99.toFixed(2),
    ratio.toFixed(3),
  ];
}

function print(table: readonly (readonly string[])[]): void {
  const widths = (table[0] as readonly string[]).map((_, column) =>
    Math.max(...table.map((cells) => (cells[column] as string).length)),
  );
  table.forEach((cells, index) => {
    console.log(`| ${cells.map((cell, column) => cell.padEnd(widths[column] as number)).join(' | ')} |`);
    if (index === 0) console.log(`|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
  });
}
