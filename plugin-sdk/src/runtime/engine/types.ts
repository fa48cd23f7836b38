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
  /** After a deadline or cancellation: the work has really ended. `threadGoneMs` from the abort to the end of its thread, `null` when the thread was sound and went on. */
  ended(threadGoneMs: number | null): void;
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
