import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Context } from '../core/context.ts';
import type { Page, RunLogRecord, RunRecord, TriggerInfo, WorkflowRecord } from '../core/records.ts';
import type { RunFilter } from '../store/store.ts';
import type { RunTimeline } from './timeline.ts';

/** What a caller asks for when it triggers a workflow. */
export interface TriggerRequest {
  /** Checked here against the workflow's parameters; throws VALIDATION_FAILED with every problem. */
  readonly parameters: JsonObject;
  readonly trigger: TriggerInfo;
  readonly idempotencyKey?: string;
  /** The whole body, for comparing a repeated key. */
  readonly body?: JsonValue;
  /** How long to wait for the end, in milliseconds; 0: answer once the run is durable. */
  readonly waitMs: number;
  /** Fires when the waiting client is gone. */
  readonly clientGone?: AbortSignal;
  /** Whether a client that is gone cancels the run. Default: it goes on. */
  readonly cancelOnDisconnect?: boolean;
}

export interface TriggerAnswer {
  /** The run as it stands: ended, or as accepted. */
  readonly run: RunRecord;
  readonly ended: boolean;
  /** The key was known: this is the earlier run. */
  readonly replayed: boolean;
}

/** One event of a run. `id` resumes a stream (`Last-Event-ID`). */
export type RunEvent =
  | { readonly id: number; readonly type: 'log'; readonly data: RunLogRecord }
  | { readonly id: number; readonly type: 'state'; readonly data: RunRecord }
  | {
      readonly id: number;
      readonly type: 'progress';
      readonly data: { readonly step_id: string; readonly fraction: number; readonly message: string | null };
    };

/**
 * Runs, from accepted to ended. The context says who asks; a run has a context of its own from its acceptance on, so that nothing that ends the one who asked
 * ends the run, but `cancelOnDisconnect`.
 */
export interface Runs {
  /** Resolves after the run is durable, or has ended within `waitMs`. Throws VALIDATION_FAILED, WORKFLOW_INACTIVE, IDEMPOTENCY_*, SHUTTING_DOWN, STORE_*. */
  trigger(ctx: Context, workflow: WorkflowRecord, request: TriggerRequest): Promise<TriggerAnswer>;
  /** Throws NOT_FOUND. Runs in flight are shown as they stand. */
  get(ctx: Context, id: string): Promise<RunRecord>;
  list(ctx: Context, filter: RunFilter): Promise<Page<RunRecord>>;
  /** Resolves when the run has ended and that is on disk, which does not wait for its work. Throws NOT_FOUND, RUN_ENDED. */
  cancel(ctx: Context, id: string): Promise<RunRecord>;
  /** A new run with the same version and parameters. Throws NOT_FOUND. */
  replay(ctx: Context, id: string): Promise<RunRecord>;
  logs(
    ctx: Context,
    id: string,
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly RunLogRecord[]>;
  /** Where its time and its deadline's budget went. Throws NOT_FOUND. */
  timeline(ctx: Context, id: string): Promise<RunTimeline>;
  /** State and logs from after `lastEventId` until the run ends or `ctx.signal` fires. Throws NOT_FOUND before the first event. */
  events(ctx: Context, id: string, lastEventId: number): AsyncIterable<RunEvent>;
  /** Validates and renders, says what would be called; calls and stores nothing. */
  dryRun(ctx: Context, workflow: WorkflowRecord, parameters: JsonObject): Promise<JsonObject>;
}
