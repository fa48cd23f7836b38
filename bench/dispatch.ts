// One dispatch: host → engine process → worker → compartment → the trivial action → back, without HTTP and store.
// `node --conditions=goflow-source bench/dispatch.ts`
import { createEngine } from '../plugin-sdk/src/runtime/engine/engine.ts';
import type { BundleCode, CallHandlers, CallRequest } from '../plugin-sdk/src/runtime/engine/types.ts';

const SECONDS = 3;
const bundle: BundleCode = {
  digest: 'sha256-bench',
  name: 'bench',
  version: '1.0.0',
  code: 'module.exports = { actions: { echo: { run: (ctx, input) => input } } };',
  limits: { memory_mb: 64, concurrency: 64, timeout_ms: 30_000 },
};
const handlers: CallHandlers = {
  broker: () => Promise.reject(new Error('the bench asks for nothing')),
  log: () => undefined,
  logsDropped: () => undefined,
  progress: () => undefined,
  ended: () => undefined,
};
const context: CallRequest['context'] = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  runId: 'run_0190a5b2-0000-7000-8000-000000000000',
  workflowId: 'wf_0190a5b2-0000-7000-8000-000000000000',
  stepId: 'main',
  attempt: 1,
  idempotencyKey: 'run_0190a5b2-0000-7000-8000-000000000000/main',
  tenantId: 'default',
  userId: 'dev',
  credential: null,
};
const input = JSON.stringify({ to: 'alex@example.com', message: 'Welcome Alex! Your pro plan is ready.' });

const engine = createEngine();
const started = performance.now();
await engine.ready();
console.log(`engine process ready in ${(performance.now() - started).toFixed(0)} ms`);
const firstAt = performance.now();
await call();
console.log(`first call (worker started) ${(performance.now() - firstAt).toFixed(0)} ms`);
await measure(32, 1);
for (const concurrency of [1, 32, 128]) {
  const { rate, p50, p99, hostCpuUs } = await measure(concurrency, SECONDS);
  console.log(
    `concurrency ${String(concurrency).padStart(3)}: ${rate.toFixed(0).padStart(7)} calls/s  p50 ${p50.toFixed(3)} ms  p99 ${p99.toFixed(3)} ms  host ${hostCpuUs.toFixed(1)} us/call`,
  );
}
await new Promise((resolve) => setTimeout(resolve, 11_000));
const { engines } = engine.stats();
const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MB`;
console.log(
  `resident: host ${megabytes(process.memoryUsage.rss())}, engine ${engines.map((each) => megabytes(each.rss)).join(', ')}`,
);
await engine.shutdown();

async function call(): Promise<void> {
  const request = { bundle, action: 'echo', input, context, deadline: performance.now() + 10_000, idempotent: true };
  const outcome = await engine.call(request, handlers, new AbortController().signal);
  if (outcome.status !== 'returned') throw new Error(JSON.stringify(outcome));
}

async function measure(
  concurrency: number,
  seconds: number,
): Promise<{ rate: number; p50: number; p99: number; hostCpuUs: number }> {
  const times: number[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  const end = start + seconds * 1000;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const at = performance.now();
      await call();
      times.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const took = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  times.sort((a, b) => a - b);
  const at = (part: number): number => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
  return {
    rate: times.length / took,
    p50: at(0.5),
    p99: at(0.99),
    hostCpuUs: (used.user + used.system) / times.length,
  };
}
