// `node bench/store.ts [--history=1000000]`: what the store does by itself. Pairs of accept and finish a second by the number in flight, beside the time
// that this disk takes for one fsync; with a history, the same again and the time of a page of runs, with that many ended runs in the database.
import { spawnSync } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemContext } from '../host/src/core/context.ts';
import { newId } from '../host/src/core/ids.ts';
import { createLogging } from '../host/src/core/log.ts';
import type { RunRecord } from '../host/src/core/records.ts';
import { toAcceptedRow, toEndRow } from '../host/src/store/sqlite/client/run-rows.ts';
import { openDatabase } from '../host/src/store/sqlite/open-database.ts';
import { openSqliteStore } from '../host/src/store/sqlite/open.ts';
import { acceptRun, finishRun } from '../host/src/store/sqlite/ops/runs.ts';
import type { Store } from '../host/src/store/store.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 3);
const HISTORY = Number(process.argv.find((text) => text.startsWith('--history='))?.slice('--history='.length) ?? 0);

const ctx = systemContext();
const log = createLogging({ level: 'warn', levels: {} }).for('store');
const INTERNALS = { sealed_parameters: null, parent_span_id: ctx.spanId };

function accepted(): RunRecord {
  return {
    id: newId('run'),
    workflow_id: 'wf_0190aaaaaaaa7000aaaaaaaaaaaaaaaa',
    workflow_version: 1,
    status: 'running',
    trigger: { type: 'api' },
    parameters: { customer_name: 'Alex', email: 'alex@example.com', plan: 'pro' },
    output: null,
    error: null,
    steps: [],
    trace_id: ctx.traceId,
    tenant_id: 'default',
    user_id: 'dev',
    created_at: new Date().toISOString(),
    started_at: null,
    finished_at: null,
    duration_ms: null,
    attempt: 1,
    ended_by: null,
    ending: null,
  };
}

function finished(run: RunRecord): RunRecord {
  const at = new Date().toISOString();
  const output = { message: 'Welcome Alex! Your pro plan is ready.' };
  const step = { plugin: 'testing', plugin_version: '1.0.0', plugin_digest: `sha256-${'A'.repeat(43)}=`, error: null };
  const times = { started_at: at, finished_at: at, duration_ms: 1.5, attempt: 1, status: 'succeeded' } as const;
  return { ...run, ...times, output, steps: [{ ...step, ...times, id: 'main', action: 'testing', output }] };
}

/** Keeps `inFlight` runs going, each accepted and then finished, and counts what ended within the time. */
async function pairs(store: Store, inFlight: number): Promise<string[]> {
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  const from = performance.now();
  const until = from + SECONDS * 1000;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < until) {
        const run = accepted();
        const sent = performance.now();
        await store.runs.accept(ctx, run, INTERNALS);
        latencies.push(performance.now() - sent);
        await store.runs.finish(ctx, finished(run), []);
      }
    }),
  );
  const seconds = (performance.now() - from) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const perSecond = Math.round(latencies.length / seconds);
  return [
    String(inFlight),
    String(perSecond),
    ...quantiles(latencies),
    ((user + system) / latencies.length).toFixed(1),
  ];
}

async function pages(store: Store): Promise<void> {
  const filters = {
    'newest 50': {},
    'newest 200': { limit: 200 },
    'failed 50': { status: 'failed' },
    'of one workflow': { workflow_id: 'wf_1' },
    'a day in the middle': { until: new Date(Date.now() - 5e9).toISOString() },
    'failed of one workflow': { status: 'failed', workflow_id: 'wf_1' },
  } as const;
  for (const [name, filter] of Object.entries(filters)) {
    const latencies: number[] = [];
    for (let index = 0; index < 200; index += 1) {
      const sent = performance.now();
      await store.runs.list(ctx, 'default', { limit: 50, ...filter });
      latencies.push(performance.now() - sent);
    }
    console.log(`  list, ${name.padEnd(24)} p50 and p99 ms: ${quantiles(latencies).join(' ')}`);
  }
}

/** Ended runs written straight into the file, over some months. */
function fill(dataDir: string, count: number): void {
  const db = openDatabase(dataDir);
  const start = Date.now() - 1e10;
  for (let from = 0; from < count; from += 10_000) {
    db.change('BEGIN');
    for (let index = from; index < Math.min(count, from + 10_000); index += 1) {
      const created_at = new Date(start + index * (1e10 / count)).toISOString();
      const run = { ...accepted(), created_at, workflow_id: `wf_${index % 20}` };
      acceptRun(db, { run: toAcceptedRow(run, INTERNALS), idempotency: null });
      const status = index % 50 === 0 ? 'failed' : 'succeeded';
      finishRun(db, toEndRow({ ...finished(run), status }, []));
    }
    db.change('COMMIT');
  }
  db.connection.close();
  // What is still to be written back would otherwise be waited for by the first fsyncs.
  spawnSync('sync');
}

function fsyncTimes(directory: string): readonly string[] {
  const descriptor = openSync(path.join(directory, 'fsync'), 'w');
  const bytes = Buffer.alloc(16 * 1024, 1);
  const latencies = Array.from({ length: 300 }, (_, index) => {
    writeSync(descriptor, bytes, 0, bytes.length, (index % 64) * bytes.length);
    const from = performance.now();
    fdatasyncSync(descriptor);
    return performance.now() - from;
  });
  closeSync(descriptor);
  return quantiles(latencies);
}

function quantiles(latencies: readonly number[]): readonly string[] {
  const sorted = latencies.toSorted((a, b) => a - b);
  return [0.5, 0.99].map((part) => (sorted[Math.floor(sorted.length * part)] ?? Number.NaN).toFixed(2));
}

async function measure(dataDir: string): Promise<void> {
  console.log(`  fdatasync of 16 kB, p50 and p99 ms: ${fsyncTimes(path.dirname(dataDir)).join(' ')}`);
  const store = await openSqliteStore({ dataDir, log });
  await pairs(store, 32);
  console.log('  in flight   runs/s   accept p50 ms   p99 ms   CPU us/run');
  for (const inFlight of [1, 32, 128]) {
    const [flying, perSecond, p50, p99, cpu] = await pairs(store, inFlight);
    console.log(
      `${flying?.padStart(11)}${perSecond?.padStart(9)}${p50?.padStart(16)}${p99?.padStart(9)}${cpu?.padStart(13)}`,
    );
  }
  await store.close();
}

const directory = mkdtempSync(path.join(tmpdir(), 'goflow-bench-'));
try {
  console.log('empty database');
  await measure(path.join(directory, 'empty'));
  if (HISTORY > 0) {
    const dataDir = path.join(directory, 'full');
    await (await openSqliteStore({ dataDir, log })).close();
    fill(dataDir, HISTORY);
    console.log(`${HISTORY} ended runs`);
    const store = await openSqliteStore({ dataDir, log });
    await pages(store);
    await store.close();
    await measure(dataDir);
    // The disk may have been slower by then: once more without a history.
    console.log('empty database');
    await measure(path.join(directory, 'empty again'));
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
