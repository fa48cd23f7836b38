// What others feel of attacks over HTTP: `/healthz` asked every 10 ms from a process of its own while each attack of `test/security/http-attacks.ts` runs again and
// again. `node bench/http-attacks.ts [part of a name]`. The host has one core; the attacker and who asks share the other, which is in the figures. `late`: how late the host's own
// event loop was, by its own metrics: that is the host's alone.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { pollHealth, type Health } from '../test/security/health.ts';
import { ATTACKS } from '../test/security/http-attacks.ts';
import { prepareTarget } from '../test/security/http-target.ts';
import { canPin, memoryOf, ROOT, startServer } from './server.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 4);
const P99_MS = 50;
const MAX_MS = 250;
const wanted = process.argv[2] ?? '';

if (canPin) spawnSync('taskset', ['-cp', '1', String(process.pid)]);
const host = await startServer([path.join(ROOT, 'host/dist/main.js'), 'start', '--port', '0'], {
  GOFLOW_PLUGINS_DIR: path.join(ROOT, 'no-plugins'),
});
const target = await prepareTarget({
  url: host.url,
  async request(method, route, body) {
    const response = await fetch(host.url + route, {
      method,
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  },
});

const rows = [['attack', 'times', 'p50 ms', 'p99 ms', 'max ms', 'not 200', 'late p99', 'late max', 'MiB', '']];
let isWorst = false;
await measure('nothing', () => new Promise((resolve) => setTimeout(resolve, 100)));
for (const { name, run } of ATTACKS.filter((one) => one.name.includes(wanted)))
  await measure(name, () => run(target, 2));
const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
for (const row of rows)
  console.log(
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  );
await host.stop();
process.exitCode = isWorst ? 1 : 0;

async function measure(name: string, attack: () => Promise<unknown>): Promise<void> {
  const health = pollHealth(host.url);
  await lateness();
  // Its own start is not measured.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const end = performance.now() + SECONDS * 1000;
  let times = 0;
  do {
    await attack();
    times += 1;
  } while (performance.now() < end);
  const seen: Health = await health();
  const late = await lateness();
  const isBad = seen.bad > 0 || seen.p99 > P99_MS || seen.max > MAX_MS;
  isWorst ||= isBad;
  const figures = [seen.p50, seen.p99, seen.max].map((ms) => ms.toFixed(1));
  const memory = memoryOf(host.child.pid as number).toFixed(0);
  rows.push([name, String(times), ...figures, String(seen.bad), ...late, memory, isBad ? 'OVER' : 'ok']);
}

/** 99th percentile and maximum of the delay of the host's event loop since this was asked last, in milliseconds. */
async function lateness(): Promise<string[]> {
  const text = await (await fetch(`${host.url}/metrics`)).text();
  return ['p99', 'max'].map((which) => {
    const seconds = new RegExp(`^nodejs_eventloop_lag_${which}_seconds (\\S+)`, 'm').exec(text)?.[1];
    return (Number(seconds) * 1000).toFixed(1);
  });
}
