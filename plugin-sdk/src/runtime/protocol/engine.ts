import type { CallContext, ConnectorLogLevel, ErrorData, JsonObject, Limits } from '../../contract/index.ts';
import type { BrokerAnswer, BrokerCall } from './broker.ts';

/**
 * Host process ⇄ engine process. Messages travel in arrays, one array per event-loop turn, because a message each costs
 * four times as much. The host trusts nothing that arrives: each message is checked by `checkEngineMessage`, a wrong one
 * ends the engine.
 *
 * `key` numbers a call; the host never uses one twice in an engine's life. Each `invoke` and `describe` is answered by exactly
 * one `result`, `failure` or `returned`, or by the end of the engine.
 */
export type HostMessage =
  /** Makes a bundle's code known; sent once per engine before its first call. */
  | {
      readonly type: 'open';
      readonly digest: string;
      readonly name: string;
      readonly version: string;
      readonly code: string;
      readonly limits: Limits;
    }
  /** No new calls of this bundle will come; its pool is closed when the last one has ended. */
  | { readonly type: 'close'; readonly digest: string }
  /** Runs an action. `input` is JSON text. `remainingMs` is the time until the deadline, as of sending. */
  | {
      readonly type: 'invoke';
      readonly key: number;
      readonly digest: string;
      readonly action: string;
      readonly input: string;
      readonly context: CallContext;
      readonly remainingMs: number;
      /** No other call may be on its worker: it is under suspicion, and the next crash shall say whose it is. */
      readonly alone: boolean;
      /** Whether it may be run again when it is cut off; a worker that has to go waits longer for a call that may not. */
      readonly rerun: boolean;
    }
  /** Loads the bundle in a compartment and answers with what `defineConnector` was given, as JSON text. */
  | { readonly type: 'describe'; readonly key: number; readonly digest: string; readonly remainingMs: number }
  /** The host has already answered for this call: fire its signal, and see to it that its work ends. */
  | { readonly type: 'abort'; readonly key: number; readonly reason: AbortReason }
  /** The broker's answer to the call `call` of `key`. */
  | ({ readonly type: 'answer'; readonly key: number; readonly call: number } & BrokerReply)
  /** Answered by `pong`; the host kills an engine that does not. */
  | { readonly type: 'ping'; readonly id: number };

export type BrokerReply =
  | { readonly ok: true; readonly value: BrokerAnswer }
  | { readonly ok: false; readonly error: ErrorData };

/** Why the host ended a call. */
export type AbortReason = 'deadline' | 'cancelled';

export type EngineMessage =
  /** The engine takes calls. */
  | { readonly type: 'ready' }
  /** The action returned; `output` is JSON text. */
  | { readonly type: 'result'; readonly key: number; readonly output: string; readonly usage: Usage }
  /** The action failed, or was ended for what it did. */
  | { readonly type: 'failure'; readonly key: number; readonly error: ErrorData; readonly usage: Usage }
  /** The call was cut off through no fault of its own (its worker ended for another call's sake): run it again. `started` says whether its code had begun, `suspect` that it is one of several that may have ended the worker: run it alone. */
  | { readonly type: 'returned'; readonly key: number; readonly started: boolean; readonly suspect: boolean }
  /** After `abort`: nothing of the call is left. `threadGoneMs`: from `abort` to the end of its thread, `null` when the thread could go on. */
  | { readonly type: 'ended'; readonly key: number; readonly threadGoneMs: number | null }
  /** The connector asks the broker for something. */
  | { readonly type: 'call'; readonly key: number; readonly call: number; readonly request: BrokerCall }
  | {
      readonly type: 'log';
      readonly key: number;
      readonly level: ConnectorLogLevel;
      readonly message: string;
      readonly fields: JsonObject | null;
    }
  /** Log lines that were over the limit of the call, sent once when it ends. */
  | { readonly type: 'logs-dropped'; readonly key: number; readonly count: number }
  | { readonly type: 'progress'; readonly key: number; readonly fraction: number; readonly message: string | null }
  /** A span of the connector that has just ended. */
  | {
      readonly type: 'span';
      readonly key: number;
      readonly name: string;
      readonly durationMs: number;
      readonly failed: boolean;
    }
  /**
   * A thread could not be ended: the engine has to be killed and says so itself; its other calls are to be run again. `keys` were on that thread, `suspects`
   * are those of them that may have brought it to this: they are to be run alone.
   */
  | { readonly type: 'stuck'; readonly keys: readonly number[]; readonly suspects: readonly number[] }
  | { readonly type: 'pong'; readonly id: number; readonly stats: EngineStats };

/** What a call used, as far as it can be told apart. */
export interface Usage {
  /** From the worker taking the call to its end, in milliseconds. */
  readonly wallMs: number;
}

export interface EngineStats {
  /** Resident memory of the engine process, in bytes. */
  readonly rss: number;
  readonly pools: ReadonlyArray<{ readonly digest: string; readonly threads: number; readonly calls: number }>;
}
