import type { ErrorData, JsonObject, JsonValue, Manifest, Permissions } from '@goflow/plugin-sdk/contract';

/** Stored things, as rooms pass them to each other. Times are RFC 3339 UTC with milliseconds; ids sort by time. */

export type RunStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'timed_out' | 'cancelled';
export const ENDED_STATUSES = ['succeeded', 'failed', 'timed_out', 'cancelled'] as const satisfies readonly RunStatus[];
export const RUN_STATUSES = ['queued', 'running', ...ENDED_STATUSES] as const satisfies readonly RunStatus[];

/** How a run began. `body`, `headers`, `query` for webhooks; headers without credentials. */
export interface TriggerInfo {
  readonly type: 'api' | 'webhook' | 'replay' | 'schedule' | 'cli';
  readonly body?: JsonValue;
  readonly headers?: JsonObject;
  readonly query?: JsonObject;
  readonly replay_of?: string;
  /** The tick of a schedule. */
  readonly scheduled_for?: string;
}

export interface StepRecord {
  readonly id: string;
  readonly action: string;
  readonly plugin: string | null;
  readonly plugin_version: string | null;
  readonly plugin_digest: string | null;
  readonly status: RunStatus;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly duration_ms: number | null;
  readonly attempt: number;
  readonly output: JsonValue;
  readonly error: ErrorData | null;
}

/** Outgoing requests and retries that a run keeps; more are only counted. */
export const MAX_RUN_EGRESS = 200;
export const MAX_RUN_RETRIES = 200;

/** One outgoing request or connection of a run, finished or refused. Holds no path, no header and no body. */
export interface EgressEntry {
  readonly step_id: string;
  readonly attempt: number;
  readonly kind: 'http' | 'tcp';
  /** HTTP method; null for a connection. */
  readonly method: string | null;
  readonly host: string;
  readonly port: number;
  /** The address that was connected to; null when there was no connection. */
  readonly address: string | null;
  /** The granted entry that let it through, or the check that refused it. */
  readonly rule: string;
  readonly status: number | null;
  readonly bytes_sent: number;
  readonly bytes_received: number;
  readonly started_at: string;
  readonly duration_ms: number;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** An attempt of a step that another followed. */
export interface RetryEntry {
  readonly step_id: string;
  readonly attempt: number;
  readonly started_at: string;
  readonly duration_ms: number;
  /** Error code of why it was not the last; INTERRUPTED where it was cut off through no fault of its own. */
  readonly code: string;
  /** Pause before the next attempt. */
  readonly wait_ms: number;
}

/** A run as the API shows it: secrets masked. */
export interface RunRecord {
  readonly id: string;
  readonly workflow_id: string;
  readonly workflow_version: number;
  readonly status: RunStatus;
  readonly trigger: TriggerInfo;
  readonly parameters: JsonObject;
  readonly output: JsonValue;
  readonly error: ErrorData | null;
  readonly steps: readonly StepRecord[];
  readonly trace_id: string;
  readonly tenant_id: string;
  readonly user_id: string;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly duration_ms: number | null;
  readonly attempt: number;
  /** What ended it, where that was not the action itself. */
  readonly ended_by: 'deadline' | 'cancel' | 'disconnect' | 'restart' | null;
  /** What it reached, oldest first, at most MAX_RUN_EGRESS; not in lists. */
  readonly egress?: readonly EgressEntry[];
  /** How many more there were. */
  readonly egress_dropped?: number;
  /** Attempts that were not the last of their step, oldest first; not in lists. */
  readonly retries?: readonly RetryEntry[];
  /** Null until nothing of its work is left, and for ever where nothing had to be ended: the only part of an ended run that is written later, once. */
  readonly ending: RunEnding | null;
}

/** How a run was ended that its deadline, a cancel or a client that went away ended. Milliseconds, from the moment when it was due. */
export interface RunEnding {
  /** Until the end was on disk and whoever waited was answered. */
  readonly answered_after_ms: number;
  /** Until the thread that ran it was gone; null where no thread had to be ended for it. */
  readonly thread_gone_after_ms: number | null;
  /** Its thread could not be interrupted: its engine process was killed. */
  readonly engine_killed: boolean;
}

/** The part of a run's record that grows while it goes on. */
export type RunTrailRecord = Pick<RunRecord, 'egress' | 'egress_dropped' | 'retries'>;

/** What the executor needs besides the public record to run a run again after a crash. */
export interface RunInternals {
  /** Values of secret parameters, sealed by the vault (JSON object of name → value); null when there are none. */
  readonly sealed_parameters: Uint8Array | null;
  /** Span id of the request that triggered it, for the trace. */
  readonly parent_span_id: string | null;
}

export interface RunLogRecord {
  /** Counts from 1 within a run. */
  readonly seq: number;
  readonly timestamp: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly msg: string;
  readonly step_id: string | null;
  readonly attempt: number;
  readonly fields: JsonObject | null;
}

/** A version of a workflow. `definition` is the normalised body (see workflow/definition.ts). */
export interface WorkflowRecord {
  readonly id: string;
  readonly tenant_id: string;
  readonly version: number;
  readonly name: string;
  readonly is_active: boolean;
  readonly definition: JsonObject;
  readonly created_at: string;
  readonly updated_at: string;
}

/** An uploaded bundle version. `tenant_id` null: for every tenant. The bundle text itself is a file of the data directory. */
export interface PluginVersionRecord {
  readonly name: string;
  readonly version: string;
  readonly tenant_id: string | null;
  readonly digest: string;
  readonly manifest: Manifest;
  readonly file: string;
  readonly installed_at: string;
}

/** What admins said of a plugin. `tenant_id` null: host-wide. */
export interface PluginSettingsRecord {
  readonly name: string;
  readonly tenant_id: string | null;
  readonly granted: Permissions | null;
  /** What the manifests asked for when the admin decided: a version that asks for more than this waits for another decision. */
  readonly decided: Permissions | null;
  readonly enabled: boolean;
  /** Version chosen by rollback; null: the newest. */
  readonly pinned_version: string | null;
}

/** `sealed`: the values as JSON, sealed by the vault. */
export interface CredentialRecord {
  readonly id: string;
  readonly tenant_id: string;
  readonly name: string;
  readonly plugin: string;
  readonly sealed: Uint8Array;
  readonly is_default: boolean;
  readonly created_at: string;
}

export type Role = 'viewer' | 'trigger' | 'editor' | 'admin';
export const ROLES = ['viewer', 'trigger', 'editor', 'admin'] as const satisfies readonly Role[];

export interface KeyRecord {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly tenant_id: string;
  readonly user_id: string;
  /** SHA-256 of the key (keys are 256 random bits, so a slow hash adds nothing). */
  readonly hash: Uint8Array;
  readonly created_at: string;
  /** Null: never. */
  readonly expires_at: string | null;
}

/** One administrative act, or the attempt of one. Written once; neither the API nor the database changes or deletes it. */
export interface AuditRecord {
  readonly id: string;
  readonly time: string;
  readonly tenant_id: string;
  /** `key_id` null: the bootstrap key, open mode, a token of the identity provider, or the command line. */
  readonly actor: { readonly user_id: string; readonly key_id: string | null; readonly role: Role };
  /** What was done to what, `key.create`. */
  readonly action: string;
  /** Id or name of what it was done to; null where there is none (yet). */
  readonly target: string | null;
  /** `denied`: the role did not allow it; `failed`: it was allowed, and did not happen. */
  readonly outcome: 'succeeded' | 'failed' | 'denied';
  /** Error code of what failed or was denied. */
  readonly code: string | null;
  readonly trace_id: string;
  /** What changed, never a secret. */
  readonly details: JsonObject | null;
}

export interface IdempotencyRecord {
  readonly tenant_id: string;
  readonly workflow_id: string;
  readonly key: string;
  /** SHA-256 of the canonical JSON of the request body. */
  readonly request_hash: Uint8Array;
  readonly run_id: string;
  /** How long the first request waited for the end, in milliseconds: says whether its answer was the run or 202. */
  readonly wait_ms: number;
  readonly created_at: string;
}

/** One page of a list; `next_cursor` null at its end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}
