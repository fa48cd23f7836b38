import type { ConnectorLogLevel, ErrorData, JsonObject, JsonValue } from '../contract/index.ts';
import type { EgressRecord } from '../runtime/index.ts';
import type { Leaks } from './leaks.ts';

/** What a call came to, as a step of a run would tell it. Secrets are shown as `***`. */
export type ActionOutcome = ActionRecord &
  (
    | { readonly status: 'succeeded'; readonly output: JsonValue }
    | { readonly status: 'failed' | 'timed_out' | 'cancelled'; readonly error: ErrorData }
  );

/** What happened during a call. */
export interface ActionRecord {
  readonly logs: readonly LogLine[];
  /** Outgoing requests and connections, those that were refused included. */
  readonly egress: readonly EgressRecord[];
  /** In milliseconds. */
  readonly duration_ms: number;
  /** With `leaks: true`: what the call had open when it ended. */
  readonly leaks?: Leaks;
  /** With `clock`: how far the connector's clock went, in milliseconds. */
  readonly clock_ms?: number;
}

export interface LogLine {
  readonly level: ConnectorLogLevel;
  readonly message: string;
  readonly fields: JsonObject | null;
}
