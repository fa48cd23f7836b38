import type { ErrorData } from '../../contract/index.ts';
import type { AbortReason, EngineMessage } from '../protocol/engine.ts';
import { bundleOf, deadlineOf, mayRerun, NO_HANDLERS, type Call, type Work } from './call.ts';
import { Deadlines } from './deadlines.ts';
import { EngineError } from './errors.ts';
import { Fleet } from './fleet.ts';
import { judge, type DeathCause } from './guilt.ts';
import type { EngineProcess } from './process.ts';
import type { BundleCode, CallHandlers, CallOutcome, CallRequest, Engine, EngineOptions } from './types.ts';

export { EngineError } from './errors.ts';
export type * from './types.ts';

/** How often a call is run again after it was cut off. */
const MAX_RESTARTS = 3;
/** Calls to the broker that one call may have in flight. */
const MAX_BROKER_CALLS = 256;
/** How long an engine with a thread that cannot be ended is kept for calls that may not be run again. */
const RETIRE_MS = 500;
/** An aborted call that has not ended after this may be on a thread that cannot be ended. */
const TROUBLE_MS = 120;

/**
 * Starts the engine: processes without rights that run connectors. Every call has exactly one outcome; the host's clock tells
 * when its time is over, so that nothing a connector does can delay it.
 *
 * ```ts
 * const engine = createEngine();
 * const outcome = await engine.call({ bundle, action: 'send', input: '{}', context, deadline: performance.now() + 5000, idempotent: true }, handlers, signal);
 * await engine.shutdown();
 * ```
 */
export function createEngine(options: EngineOptions = {}): Engine {
  return new ProcessEngine(options);
}

class ProcessEngine implements Engine {
  readonly #fleet: Fleet;
  readonly #deadlines = new Deadlines<Call>((call) => this.#abort(call, 'deadline'));
  readonly #live = new Map<Call, EngineProcess | null>();
  /** Calls that wait for a process; those under suspicion wait for one of their own. */
  readonly #waiting = new Set<Call>();
  readonly #suspects = new Set<Call>();
  readonly #ready = Promise.withResolvers<void>();
  #troubleTimer: NodeJS.Timeout | null = null;
  #keys = 0;
  #closed = false;

  constructor(options: EngineOptions) {
    this.#fleet = new Fleet(options, {
      ready: (process) => this.#processReady(process),
      message: (process, message) => this.#take(process, message),
      gone: (process, cause) => this.#processGone(process, cause),
    });
  }

  call(request: CallRequest, handlers: CallHandlers, signal: AbortSignal): Promise<CallOutcome> {
    return this.#run({ kind: 'invoke', request }, handlers, signal);
  }

  async describe(bundle: BundleCode, timeoutMs: number): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    const outcome = await this.#run({ kind: 'describe', bundle, deadline }, NO_HANDLERS, null);
    if (outcome.status === 'returned') return outcome.output;
    throw new EngineError(
      outcome.status === 'failed' ? outcome.error : describeError(outcome.status, bundle, timeoutMs),
    );
  }

  close(digest: string): void {
    for (const process of this.#fleet.all) process.close(digest);
  }

  stats(): ReturnType<Engine['stats']> {
    const engines = [...this.#fleet.all].map((process) => ({
      pid: process.pid,
      ...(process.stats ?? { rss: 0, pools: [] }),
    }));
    return { restarts: this.#fleet.restarts, engines };
  }

  ready(): Promise<void> {
    return this.#ready.promise;
  }

  async shutdown(): Promise<void> {
    this.#closed = true;
    for (const call of this.#live.keys()) this.#settle(call, { status: 'interrupted' });
    this.#deadlines.clear();
    if (this.#troubleTimer !== null) clearTimeout(this.#troubleTimer);
    await this.#fleet.shutdown();
  }

  #run(work: Work, handlers: CallHandlers, signal: AbortSignal | null): Promise<CallOutcome> {
    if (this.#closed) return Promise.resolve({ status: 'interrupted' });
    if (signal?.aborted === true) return expired(handlers, 'cancelled');
    if (deadlineOf(work) <= performance.now()) return expired(handlers, 'deadline');
    const { promise, resolve } = Promise.withResolvers<CallOutcome>();
    const call: Call = {
      work,
      handlers,
      resolve,
      dispose: () => undefined,
      key: 0,
      restarts: 0,
      deaths: 0,
      alone: false,
      quarantined: false,
      brokerCalls: 0,
      context: null,
    };
    const handle = this.#deadlines.add(deadlineOf(work), call);
    const cancel = (): void => this.#abort(call, 'cancelled');
    signal?.addEventListener('abort', cancel, { once: true });
    call.dispose = () => {
      this.#deadlines.remove(handle, call);
      signal?.removeEventListener('abort', cancel);
    };
    this.#live.set(call, null);
    this.#dispatch(call);
    return promise;
  }

  #dispatch(call: Call): void {
    const bundle = bundleOf(call.work);
    const process = call.quarantined ? this.#fleet.pickQuarantine() : this.#fleet.pick(bundle.digest);
    if (process === null) {
      (call.quarantined ? this.#suspects : this.#waiting).add(call);
      return;
    }
    this.#keys += 1;
    call.key = this.#keys;
    call.brokerCalls = 0;
    this.#live.set(call, process);
    process.calls.set(call.key, call);
    process.open(bundle);
    const { key, work, alone } = call;
    const remainingMs = deadlineOf(work) - performance.now();
    if (work.kind === 'describe') {
      process.send({ type: 'describe', key, digest: bundle.digest, remainingMs });
    } else {
      const { action, input, context, idempotent } = work.request;
      process.send({
        type: 'invoke',
        key,
        digest: bundle.digest,
        action,
        input,
        context: call.context ?? context,
        remainingMs,
        alone,
        rerun: idempotent,
      });
    }
  }

  #dispatchAll(calls: Set<Call>): void {
    const waiting = [...calls];
    calls.clear();
    for (const call of waiting) this.#dispatch(call);
  }

  /** Ends the call for whoever waits, at once; its work is ended behind it. */
  #abort(call: Call, reason: AbortReason): void {
    const process = this.#live.get(call);
    if (process === undefined) return;
    if (process === null) {
      this.#settle(call, { status: 'aborted', reason });
      call.handlers.ended(null, false);
      return;
    }
    process.ending.set(call.key, { handlers: call.handlers, abortedAt: performance.now(), isStuck: false });
    process.send({ type: 'abort', key: call.key, reason });
    this.#settle(call, { status: 'aborted', reason });
    this.#troubleTimer ??= setTimeout(() => this.#lookForTrouble(), TROUBLE_MS);
  }

  #lookForTrouble(): void {
    this.#troubleTimer = null;
    const now = performance.now();
    let isWaiting = false;
    for (const process of this.#fleet.all) {
      for (const { abortedAt } of process.ending.values()) {
        if (now - abortedAt >= TROUBLE_MS - 5) return this.#fleet.expectTrouble();
        isWaiting = true;
      }
    }
    if (isWaiting) this.#troubleTimer = setTimeout(() => this.#lookForTrouble(), TROUBLE_MS);
  }

  #settle(call: Call, outcome: CallOutcome): void {
    const process = this.#live.get(call);
    if (process === undefined) return;
    this.#live.delete(call);
    this.#waiting.delete(call);
    this.#suspects.delete(call);
    process?.calls.delete(call.key);
    call.dispose();
    call.resolve(outcome);
    if (call.quarantined) this.#nextSuspect();
  }

  #nextSuspect(): void {
    if (this.#suspects.size > 0) this.#dispatchAll(this.#suspects);
    else if (![...this.#live.keys()].some((call) => call.quarantined)) this.#fleet.endQuarantine();
  }

  #take(process: EngineProcess, message: EngineMessage): void {
    if (message.type === 'stuck') return this.#processStuck(process, message);
    if (message.type === 'ready' || message.type === 'pong') return;
    const call = process.calls.get(message.key);
    if (call === undefined) {
      if (ENDS.has(message.type))
        this.#ended(process, message.key, message.type === 'ended' ? message.threadGoneMs : null);
      return;
    }
    switch (message.type) {
      case 'result':
        return this.#settle(call, { status: 'returned', output: message.output, usage: message.usage });
      case 'failure':
        return this.#settle(call, { status: 'failed', error: message.error, usage: message.usage });
      case 'returned':
        call.alone ||= message.suspect;
        return this.#again(process, call, message.started);
      case 'call':
        return void this.#askBroker(process, call, message);
      case 'log':
        return call.handlers.log(message.level, message.message, message.fields);
      case 'logs-dropped':
        return call.handlers.logsDropped(message.count);
      case 'progress':
        return call.handlers.progress(message.fraction, message.message);
      case 'span':
        return call.handlers.span?.(message.name, message.durationMs, message.failed);
      case 'ended':
        // Only an aborted call ends so, and that is not among the calls any more.
        return process.kill('malformed');
    }
  }

  async #askBroker(
    process: EngineProcess,
    call: Call,
    message: Extract<EngineMessage, { type: 'call' }>,
  ): Promise<void> {
    const { key } = call;
    const answer = { type: 'answer', key, call: message.call } as const;
    if (call.brokerCalls >= MAX_BROKER_CALLS)
      return process.send({ ...answer, ok: false, error: TOO_MANY_BROKER_CALLS });
    call.brokerCalls += 1;
    const reply = await call.handlers.broker(message.request);
    if (process.calls.get(key) !== call) return;
    call.brokerCalls -= 1;
    process.send({ ...answer, ...reply });
  }

  #ended(process: EngineProcess, key: number, threadGoneMs: number | null): void {
    const ending = process.ending.get(key);
    if (ending === undefined) return;
    process.ending.delete(key);
    ending.handlers.ended(threadGoneMs, false);
    if (this.#suspects.size > 0) this.#dispatchAll(this.#suspects);
  }

  /** Runs a call again that was cut off, unless it may not be, or was too often. */
  #again(process: EngineProcess, call: Call, started: boolean): void {
    process.calls.delete(call.key);
    if (started && (!mayRerun(call.work) || call.restarts >= MAX_RESTARTS)) {
      return this.#settle(call, { status: 'interrupted' });
    }
    this.#live.set(call, null);
    if (started) {
      call.restarts += 1;
      // Twice hit by others is enough: from now on nobody is near enough to hit it.
      call.alone ||= call.restarts >= 2;
      call.context = call.handlers.restarted?.(call.restarts) ?? call.context;
    }
    this.#dispatch(call);
  }

  #processReady(process: EngineProcess): void {
    this.#ready.resolve();
    if (this.#waiting.size > 0) this.#dispatchAll(this.#waiting);
    if (this.#suspects.size > 0 && process.calls.size === 0) this.#dispatchAll(this.#suspects);
  }

  #processStuck(process: EngineProcess, { keys, suspects }: Extract<EngineMessage, { type: 'stuck' }>): void {
    for (const key of keys) {
      const ending = process.ending.get(key);
      if (ending !== undefined) ending.isStuck = true;
    }
    for (const key of suspects) {
      const call = process.calls.get(key);
      if (call !== undefined) call.alone = true;
    }
    const isHeld = (): boolean => [...process.calls.values()].some((call) => !mayRerun(call.work));
    this.#fleet.retire(process, 'stuck', RETIRE_MS, isHeld);
  }

  #processGone(process: EngineProcess, cause: DeathCause): void {
    const now = performance.now();
    for (const { handlers, abortedAt, isStuck } of process.ending.values()) handlers.ended(now - abortedAt, isStuck);
    // Aborted calls were running too: with them there, a single other one is not proven guilty.
    const running = process.calls.size + process.ending.size;
    process.ending.clear();
    for (const call of process.calls.values()) {
      call.deaths += 1;
      const verdict = judge(cause, running, call.deaths);
      if (verdict === 'out-of-memory' || verdict === 'crashed') {
        this.#settle(call, { status: 'failed', error: GUILTY[verdict], usage: null });
      } else if (verdict === 'interrupted') {
        this.#settle(call, { status: 'interrupted' });
      } else {
        call.quarantined ||= verdict === 'rerun-alone';
        call.alone ||= call.quarantined;
        this.#again(process, call, true);
      }
    }
    if (this.#suspects.size > 0) this.#dispatchAll(this.#suspects);
  }
}

/** Messages after which an aborted call has ended. */
const ENDS: ReadonlySet<EngineMessage['type']> = new Set(['result', 'failure', 'returned', 'ended']);

const TOO_MANY_BROKER_CALLS: ErrorData = {
  code: 'CONNECTOR_ERROR',
  message: `a call may have at most ${MAX_BROKER_CALLS} requests in flight`,
  retryable: false,
};

const GUILTY = {
  'out-of-memory': {
    code: 'OUT_OF_MEMORY',
    message: 'the call used more memory than its engine could bear',
    retryable: false,
  },
  crashed: { code: 'PLUGIN_CRASHED', message: 'the call ended the engine that ran it', retryable: false },
} as const satisfies Record<string, ErrorData>;

/** The outcome of work that is not started, because its time is over. */
function expired(handlers: CallHandlers, reason: AbortReason): Promise<CallOutcome> {
  handlers.ended(null, false);
  return Promise.resolve({ status: 'aborted', reason });
}

function describeError(status: 'aborted' | 'interrupted', bundle: BundleCode, timeoutMs: number): ErrorData {
  return status === 'aborted'
    ? {
        code: 'DEADLINE_EXCEEDED',
        message: `loading ${bundle.name} ${bundle.version} took longer than ${timeoutMs} ms`,
        retryable: false,
      }
    : { code: 'INTERRUPTED', message: `loading ${bundle.name} ${bundle.version} was interrupted`, retryable: true };
}
