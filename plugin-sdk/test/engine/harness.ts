import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CallContext, JsonValue, Limits } from '../../src/contract/index.ts';
import type { BrokerCall } from '../../src/runtime/protocol/broker.ts';
import type { BrokerReply } from '../../src/runtime/protocol/engine.ts';
import {
  createEngine,
  type BundleCode,
  type CallOutcome,
  type Engine,
  type EngineOptions,
} from '../../src/runtime/engine/engine.ts';

export const CONTEXT: CallContext = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  runId: 'run_1',
  workflowId: 'wf_1',
  stepId: 'main',
  attempt: 1,
  idempotencyKey: 'run_1/main',
  tenantId: 'acme',
  userId: 'dev',
  credential: null,
};

/** The bundle whose code is `hostile/<name>.js`. */
export function hostile(name: string, limits: Partial<Limits> = {}): BundleCode {
  const code = readFileSync(fileURLToPath(new URL(`hostile/${name}.js`, import.meta.url)), 'utf8');
  return {
    digest: `sha256-${name}-${JSON.stringify(limits)}`,
    name,
    version: '1.0.0',
    code,
    limits: { memory_mb: 64, concurrency: 16, timeout_ms: 30_000, ...limits },
  };
}

export interface StartOptions {
  readonly action?: string;
  readonly input?: JsonValue;
  readonly ms?: number;
  readonly idempotent?: boolean;
  readonly tenantId?: string;
  readonly broker?: (call: BrokerCall) => Promise<BrokerReply>;
}

/** A call in flight, and what was heard of it. */
export interface Started {
  readonly outcome: Promise<CallOutcome>;
  /** Resolves when the work of an aborted call has ended. */
  readonly ended: Promise<number | null>;
  readonly restarts: number[];
  readonly logs: string[];
  readonly asked: BrokerCall[];
  droppedLogs: number;
  cancel(): void;
}

/** An engine for a test. Disposing it checks that nothing of it is left. */
export class TestEngine implements AsyncDisposable {
  readonly engine: Engine;
  readonly log: Array<{ readonly message: string; readonly fields: Readonly<Record<string, unknown>> }> = [];
  readonly #resourcesBefore = countResources();
  readonly #pids = new Set<number>();

  private constructor(options: EngineOptions) {
    this.engine = createEngine({ ...options, log: (_level, message, fields) => this.log.push({ message, fields }) });
  }

  static async start(options: EngineOptions = {}): Promise<TestEngine> {
    const started = new TestEngine(options);
    await started.engine.ready();
    return started;
  }

  /** Process ids of the engines that are up. */
  pids(): number[] {
    const pids = this.engine.stats().engines.map(({ pid }) => pid);
    for (const pid of pids) if (pid !== 0) this.#pids.add(pid);
    return pids;
  }

  /** Process ids of all engines that have ever taken calls. */
  readyPids(): number[] {
    const ready = this.log.filter(({ message }) => message === 'engine process ready');
    return ready.map(({ fields }) => Number(fields.engine_pid));
  }

  /** Why engine processes ended so far. */
  deaths(): unknown[] {
    return this.log.filter(({ message }) => message === 'engine process ended').map(({ fields }) => fields.cause);
  }

  start(
    bundle: BundleCode,
    { action = 'main', input = null, ms = 20_000, idempotent = true, tenantId, broker }: StartOptions = {},
  ): Started {
    this.pids();
    const controller = new AbortController();
    const ended = Promise.withResolvers<number | null>();
    const started = { restarts: [] as number[], logs: [] as string[], asked: [] as BrokerCall[], droppedLogs: 0 };
    const context = tenantId === undefined ? CONTEXT : { ...CONTEXT, tenantId };
    const request = {
      bundle,
      action,
      input: JSON.stringify(input),
      context,
      deadline: performance.now() + ms,
      idempotent,
    };
    const handlers = {
      broker: (call: BrokerCall): Promise<BrokerReply> => {
        started.asked.push(call);
        return broker?.(call) ?? Promise.resolve({ ok: true, value: null });
      },
      log: (_level: string, message: string) => void started.logs.push(message),
      logsDropped: (count: number) => void (started.droppedLogs = count),
      progress: () => undefined,
      restarted(count: number) {
        started.restarts.push(count);
        return { ...context, attempt: context.attempt + count };
      },
      ended: ended.resolve,
    };
    const outcome = this.engine.call(request, handlers, controller.signal);
    return Object.assign(started, { outcome, ended: ended.promise, cancel: () => controller.abort() });
  }

  call(bundle: BundleCode, options?: StartOptions): Promise<CallOutcome> {
    return this.start(bundle, options).outcome;
  }

  /** The output of a call that must return. */
  async output(bundle: BundleCode, options?: StartOptions): Promise<unknown> {
    return outputOf(await this.call(bundle, options));
  }

  /** The code of the error of a call that must fail. */
  async failure(bundle: BundleCode, options?: StartOptions): Promise<string> {
    const outcome = await this.call(bundle, options);
    return outcome.status === 'failed' ? outcome.error.code : `not failed: ${JSON.stringify(outcome)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.pids();
    await this.engine.shutdown();
    for (const pid of this.#pids) if (isAlive(pid)) throw new Error(`engine process ${pid} is left`);
    await until(
      () => countResources() <= this.#resourcesBefore,
      'no child process, pipe or timer of the engine is left',
    );
  }
}

export function outputOf(outcome: CallOutcome): unknown {
  if (outcome.status !== 'returned') throw new Error(`not returned: ${JSON.stringify(outcome)}`);
  return JSON.parse(outcome.output);
}

/** Waits until `holds` does. */
export async function until(holds: () => boolean, what: string, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Threads of a process, or `null` where the system does not tell. */
export function threadsOf(pid: number): number | null {
  const status = `/proc/${pid}/status`;
  return existsSync(status) ? Number(/^Threads:\s+(\d+)$/m.exec(readFileSync(status, 'utf8'))?.[1]) : null;
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function countResources(): number {
  return process
    .getActiveResourcesInfo()
    .filter((name) => name === 'ProcessWrap' || name === 'PipeWrap' || name === 'Timeout').length;
}
