import type { MessagePort } from 'node:worker_threads';
import type { CallContext, ConnectorLogLevel, ErrorData, JsonObject } from '../../contract/index.ts';
import type { AbortReason, BrokerReply } from './engine.ts';
import type { BrokerCall } from './broker.ts';

/**
 * Engine thread ⇄ worker thread, over the lane's own MessagePort, in arrays of one event-loop turn. A lane is one Piscina task
 * that lives as long as its worker.
 *
 * A call is taken by a compare-and-swap on its slot of the lane's claims (`CLAIM_*`), so that a call which a stuck worker has
 * not begun can be given to another worker without ever running twice.
 */
export type LaneCommand =
  | {
      readonly type: 'invoke';
      readonly key: number;
      /** Index into `LaneStart.claims`. */
      readonly slot: number;
      readonly action: string;
      readonly input: string;
      readonly context: CallContext;
      readonly remainingMs: number;
    }
  | { readonly type: 'describe'; readonly key: number; readonly slot: number }
  | { readonly type: 'abort'; readonly key: number; readonly reason: AbortReason }
  | ({ readonly type: 'answer'; readonly key: number; readonly call: number } & BrokerReply)
  | { readonly type: 'ping'; readonly id: number }
  /** The lane ends: its Piscina task returns when the last call has. */
  | { readonly type: 'stop' };

export type LaneEvent =
  /** The realm is locked down and the code can be loaded. */
  | { readonly type: 'ready' }
  | { readonly type: 'result'; readonly key: number; readonly output: string; readonly wallMs: number }
  | { readonly type: 'failure'; readonly key: number; readonly error: ErrorData; readonly wallMs: number }
  /** The claim had been revoked: the call was not run. */
  | { readonly type: 'skipped'; readonly key: number }
  | { readonly type: 'call'; readonly key: number; readonly call: number; readonly request: BrokerCall }
  | {
      readonly type: 'log';
      readonly key: number;
      readonly level: ConnectorLogLevel;
      readonly message: string;
      readonly fields: JsonObject | null;
    }
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
  | { readonly type: 'pong'; readonly id: number };

/** What a lane begins with: the argument of its Piscina task. */
export interface LaneStart {
  readonly port: MessagePort;
  readonly digest: string;
  readonly name: string;
  readonly version: string;
  readonly code: string;
  /** One Int32 per slot: `CLAIM_OPEN`, `CLAIM_TAKEN` (by the worker) or `CLAIM_REVOKED` (by the engine). */
  readonly claims: SharedArrayBuffer;
}

export const CLAIM_OPEN = 0;
export const CLAIM_TAKEN = 1;
export const CLAIM_REVOKED = 2;
/** Slots of a lane: more calls than this are never on one worker at once. */
export const LANE_SLOTS = 4096;
