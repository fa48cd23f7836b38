import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { CallContext, ErrorData, JsonValue } from '../../src/contract/index.ts';
import type { BrokerAnswer, BrokerCall } from '../../src/runtime/protocol/broker.ts';
import type { AbortReason } from '../../src/runtime/protocol/engine.ts';
import { type LaneCommand, type LaneEvent, CLAIM_REVOKED, LANE_SLOTS } from '../../src/runtime/protocol/worker.ts';

/** The file that production runs; `scripts/build.mjs --only=engine` makes it. */
const SANDBOX = fileURLToPath(new URL('../../dist/engine/sandbox.js', import.meta.url));

/** What Piscina does for a lane: load the file, run its default export with the task. */
const TASK_RUNNER = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData.sandbox).then(({ default: lane }) => {
    parentPort.once('message', async (start) => {
      await lane(start);
      parentPort.postMessage('returned');
    });
    parentPort.postMessage('loaded');
  });`;

type EventOf<T extends LaneEvent['type']> = Extract<LaneEvent, { type: T }>;
export type BrokerStub = (request: BrokerCall, call: RunningCall) => BrokerAnswer | Promise<BrokerAnswer>;

export interface CallOptions {
  readonly action?: string;
  readonly input?: JsonValue;
  readonly context?: Partial<CallContext>;
  readonly remainingMs?: number;
  /** Answers broker calls; throws `ErrorData` to refuse. Without one, nothing is answered. */
  readonly broker?: BrokerStub;
}

/** How a call ended. */
export type Ended =
  | { readonly ok: true; readonly output: JsonValue; readonly wallMs: number }
  | { readonly ok: false; readonly error: ErrorData };

export interface RunningCall {
  readonly key: number;
  readonly ended: Promise<Ended>;
  readonly logs: EventOf<'log'>[];
  readonly progress: EventOf<'progress'>[];
  readonly spans: EventOf<'span'>[];
  readonly asked: BrokerCall[];
  dropped: number;
  abort(reason: AbortReason): void;
}

interface Started {
  readonly call: RunningCall;
  readonly broker: BrokerStub | undefined;
  readonly end: (ended: Ended) => void;
}

export const CONTEXT: CallContext = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  runId: 'run_1',
  workflowId: 'wf_1',
  stepId: 'main',
  attempt: 1,
  idempotencyKey: 'idem-1',
  tenantId: 'acme',
  userId: 'dev',
  credential: null,
};

/** A real worker thread that serves one bundle, spoken to as the engine does. */
export class TestLane {
  readonly claims = new SharedArrayBuffer(LANE_SLOTS * 4);
  readonly strays: LaneEvent[] = [];
  readonly worker: Worker;
  readonly returned: Promise<void>;
  readonly #port: MessagePort;
  readonly #calls = new Map<number, Started>();
  readonly #pongs = new Map<number, () => void>();
  readonly #ready = Promise.withResolvers<void>();
  #last = 0;

  /** Starts a worker for a bundle with this code (the text of its `plugin.js`). */
  static async start(code: string): Promise<TestLane> {
    const lane = new TestLane(code);
    await lane.#ready.promise;
    return lane;
  }

  /** The same with the code of `actions`: `{ name: async (ctx, input) => … }` as text. */
  static async ofActions(actions: string, before = ''): Promise<TestLane> {
    return await TestLane.start(bundleOf(actions, before));
  }

  private constructor(code: string) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.worker = new Worker(TASK_RUNNER, { eval: true, workerData: { sandbox: SANDBOX }, env: {} });
    const returned = Promise.withResolvers<void>();
    this.returned = returned.promise;
    this.worker.on('error', (error) => this.#ready.reject(error));
    this.worker.on('message', (message) => {
      if (message === 'returned') return returned.resolve();
      const start = { port: port2, digest: 'sha256-x', name: 'test', version: '1.0.0', code, claims: this.claims };
      this.worker.postMessage(start, [port2]);
    });
    port1.on('message', (events: readonly LaneEvent[]) => {
      for (const event of events) this.#receive(event);
    });
  }

  /** Starts a call. `claim` is what its slot holds when the worker looks. */
  begin(
    { action = 'main', input = null, context, remainingMs = 30_000, broker }: CallOptions = {},
    claim = 0,
  ): RunningCall {
    const key = ++this.#last;
    const started = this.#register(key, broker);
    Atomics.store(new Int32Array(this.claims), key % LANE_SLOTS, claim);
    this.send({
      type: 'invoke',
      key,
      slot: key % LANE_SLOTS,
      action,
      input: JSON.stringify(input),
      context: { ...CONTEXT, ...context },
      remainingMs,
    });
    return started;
  }

  beginRevoked(): RunningCall {
    return this.begin({}, CLAIM_REVOKED);
  }

  async call(options: CallOptions = {}): Promise<Ended> {
    return await this.begin(options).ended;
  }

  /** The output of a call that must succeed. */
  async output(options: CallOptions = {}): Promise<JsonValue> {
    const ended = await this.call(options);
    if (!ended.ok) throw new Error(`${ended.error.code}: ${ended.error.message}`);
    return ended.output;
  }

  /** The error of a call that must fail. */
  async error(options: CallOptions = {}): Promise<ErrorData> {
    const ended = await this.call(options);
    if (ended.ok) throw new Error(`succeeded with ${JSON.stringify(ended.output)}`);
    return ended.error;
  }

  async describe(): Promise<Ended> {
    const key = ++this.#last;
    const call = this.#register(key, undefined);
    this.send({ type: 'describe', key, slot: key % LANE_SLOTS });
    return await call.ended;
  }

  /** Resolves when the worker has come round its event loop. */
  async ping(): Promise<void> {
    const id = ++this.#last;
    await new Promise<void>((resolve) => {
      this.#pongs.set(id, resolve);
      this.send({ type: 'ping', id });
    });
  }

  send(...commands: readonly LaneCommand[]): void {
    this.#port.postMessage(commands, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#port.close();
    await this.worker.terminate();
  }

  #register(key: number, broker: BrokerStub | undefined): RunningCall {
    const { promise, resolve } = Promise.withResolvers<Ended>();
    const abort = (reason: AbortReason): void => this.send({ type: 'abort', key, reason });
    const call: RunningCall = { key, ended: promise, logs: [], progress: [], spans: [], asked: [], dropped: 0, abort };
    this.#calls.set(key, { call, broker, end: resolve });
    return call;
  }

  #receive(event: LaneEvent): void {
    if (event.type === 'ready') return this.#ready.resolve();
    if (event.type === 'pong') {
      this.#pongs.get(event.id)?.();
      this.#pongs.delete(event.id);
      return;
    }
    const started = this.#calls.get(event.key);
    if (started === undefined) {
      this.strays.push(event);
      return;
    }
    this.#receiveFor(started, event);
  }

  #receiveFor({ call, broker, end }: Started, event: Exclude<LaneEvent, { type: 'ready' | 'pong' }>): void {
    switch (event.type) {
      case 'log':
        call.logs.push(event);
        return;
      case 'progress':
        call.progress.push(event);
        return;
      case 'logs-dropped':
        call.dropped = event.count;
        return;
      case 'span':
        call.spans.push(event);
        return;
      case 'call':
        call.asked.push(event.request);
        if (broker !== undefined) void this.#answer(call, event, broker);
        return;
      case 'result':
        end({ ok: true, output: JSON.parse(event.output) as JsonValue, wallMs: event.wallMs });
        break;
      case 'failure':
        end({ ok: false, error: event.error });
        break;
      case 'skipped':
        end({ ok: false, error: { code: 'SKIPPED', message: 'skipped', retryable: false } });
    }
    this.#calls.delete(event.key);
  }

  async #answer(call: RunningCall, { key, call: ask, request }: EventOf<'call'>, broker: BrokerStub): Promise<void> {
    try {
      this.send({ type: 'answer', key, call: ask, ok: true, value: await broker(request, call) });
    } catch (error) {
      this.send({ type: 'answer', key, call: ask, ok: false, error: error as ErrorData });
    }
  }
}

/** A bundle's `plugin.js` around the text of its actions. */
export function bundleOf(actions: string, before = ''): string {
  return `${before}
const actions = ${actions};
module.exports = { default: { name: 'test', version: '1.0.0', actions: Object.fromEntries(
  Object.entries(actions).map(([id, run]) => [id, typeof run === 'function' ? { run } : run])) } };`;
}
