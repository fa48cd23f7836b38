import type { CallContext, ConnectorLogLevel, ErrorData, JsonObject, Limits } from '../../contract/index.ts';
import type { AbortReason, BrokerReply, EngineStats, Usage } from '../protocol/engine.ts';
import type { BrokerCall } from '../protocol/broker.ts';

/** A bundle as the engine needs it. `digest` names it: the same digest is always the same code. */
export interface BundleCode {
  readonly digest: string;
  readonly name: string;
  readonly version: string;
  readonly code: string;
  readonly limits: Limits;
}

/** One call of an action. */
export interface CallRequest {
  readonly bundle: BundleCode;
  readonly action: string;
  /** JSON text. */
  readonly input: string;
  readonly context: CallContext;
  /** Monotonic deadline: `performance.now()` of the host process, in milliseconds. */
  readonly deadline: number;
  /** `false`: a call whose code had begun is not run again when it is cut off; it ends as `interrupted`. */
  readonly idempotent: boolean;
}

/** What the engine tells while a call runs. Nothing is called once the outcome is there. */
export interface CallHandlers {
  /** The connector asks the broker; the promise never rejects. */
  broker(call: BrokerCall): Promise<BrokerReply>;
  log(level: ConnectorLogLevel, message: string, fields: JsonObject | null): void;
  logsDropped(count: number): void;
  progress(fraction: number, message: string | null): void;
  /** A span of the connector that has just ended. */
  span?(name: string, durationMs: number, failed: boolean): void;
  /**
   * The call was cut off through no fault of its own and begins again; `count` is 1 the first time. What it had open at the broker is to be closed.
   * Gives the context that it begins with now; nothing: the same as before.
   */
  restarted?(count: number): CallContext | void;
  /**
   * After a deadline or cancellation: the work has really ended. `threadGoneMs` from the abort to the end of its thread, `null` when the thread was
   * sound and went on. `engineKilled`: its thread could not be ended, and cost a whole engine process.
   */
  ended(threadGoneMs: number | null, engineKilled: boolean): void;
}

export type CallOutcome =
  /** `output` is JSON text. */
  | { readonly status: 'returned'; readonly output: string; readonly usage: Usage }
  | { readonly status: 'failed'; readonly error: ErrorData; readonly usage: Usage | null }
  /** The deadline passed, or `signal` fired. Told at once, whatever the connector does. */
  | { readonly status: 'aborted'; readonly reason: AbortReason }
  /** Cut off through no fault of its own after its code had begun, and `idempotent` is `false`, or cut off too often (3 times). */
  | { readonly status: 'interrupted' };

export interface Engine {
  /**
   * Runs a call. Resolves once, with its outcome; never rejects. When `signal` fires (its reason: `'cancelled'`) or the deadline
   * passes, it resolves at once and the work is ended behind it. A call that lost its engine or worker innocently is run again.
   */
  call(request: CallRequest, handlers: CallHandlers, signal: AbortSignal): Promise<CallOutcome>;
  /** Loads code in the sandbox and gives the definition that it exports as JSON text. Rejects with a GoflowRuntimeError-like `ErrorData` carrier. */
  describe(bundle: BundleCode, timeoutMs: number): Promise<string>;
  /** No new calls of this digest: its pool goes when the last call has ended. */
  close(digest: string): void;
  stats(): { readonly restarts: number; readonly engines: ReadonlyArray<EngineStats & { readonly pid: number }> };
  /** Resolves when an engine process takes calls. */
  ready(): Promise<void>;
  /** Ends all engine processes; calls in flight resolve as `interrupted`. */
  shutdown(): Promise<void>;
}

/** What an engine may be given; everything has a default. */
export interface EngineOptions {
  /** Engine processes that share the calls, by bundle. @default 1 */
  readonly processes?: number;
  /**
   * When a spare process is kept that takes over at once (about 35 MB): always; while calls are made and a minute after; or from the moment that a process may
   * have to be killed, or was lost, until a minute after. Without one a lost engine is replaced in about 100 ms, on a busy machine in several times that.
   * @default 'on-trouble'
   */
  readonly spare?: 'always' | 'while-used' | 'on-trouble';
  /** Worker threads that one bundle may have in a process. @default 4 */
  readonly lanesPerBundle?: number;
  /** Time after which an idle worker thread ends, in milliseconds. @default 15000 */
  readonly idleLaneMs?: number;
  /** Resident memory at which an engine process is killed, in MiB. @default 2048 */
  readonly maxMemoryMb?: number;
  /** What an operator wants to know: processes that started, ended, and why. Never anything of a plugin's data. */
  readonly log?: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: JsonObject) => void;
}
