import type { RunStatus } from '../../core/records.ts';

/** Rows as they cross between client and store thread: labelled tuples, which cost half of what objects do to copy. Times are milliseconds. */

export type RunRow = readonly [
  id: string,
  tenantId: string,
  workflowId: string,
  workflowVersion: number,
  status: RunStatus,
  attempt: number,
  createdAt: number,
  startedAt: number | null,
  finishedAt: number | null,
  durationMs: number | null,
  endedBy: string | null,
  userId: string,
  traceId: string,
  trigger: string,
  parameters: string,
  steps: string | null,
  error: string | null,
  output: string | null,
  ending: string | null,
];

/** With what lists leave out. */
export type WholeRunRow = readonly [...RunRow, trail: string | null];

export type AcceptedRow = readonly [
  id: string,
  tenantId: string,
  workflowId: string,
  workflowVersion: number,
  status: RunStatus,
  attempt: number,
  createdAt: number,
  startedAt: number | null,
  userId: string,
  traceId: string,
  parentSpanId: string | null,
  trigger: string,
  parameters: string,
  sealedParameters: Uint8Array | null,
];

export type EndRow = readonly [
  status: RunStatus,
  attempt: number,
  startedAt: number | null,
  finishedAt: number | null,
  durationMs: number | null,
  endedBy: string | null,
  steps: string | null,
  error: string | null,
  output: string | null,
  lastLogs: string | null,
  trail: string | null,
  id: string,
];

/** Some consecutive log lines of a run; `lines` is a JSON array of them. */
export type LogChunk = readonly [firstSeq: number, lastSeq: number, lines: string];

export type InternalsRow = readonly [sealedParameters: Uint8Array | null, parentSpanId: string | null];

export type IdempotencyRow = readonly [
  tenantId: string,
  workflowId: string,
  key: string,
  requestHash: Uint8Array,
  runId: string,
  waitMs: number,
  createdAt: number,
];

export type WorkflowRow = readonly [
  id: string,
  tenantId: string,
  version: number,
  isActive: number,
  createdAt: number,
  name: string,
  definition: string,
  updatedAt: number,
];

export type PluginVersionRow = readonly [
  name: string,
  version: string,
  tenantId: string | null,
  digest: string,
  manifest: string,
  file: string,
  installedAt: number,
];

export type PluginSettingsRow = readonly [
  name: string,
  tenantId: string | null,
  granted: string | null,
  decided: string | null,
  enabled: number,
  pinnedVersion: string | null,
];

export type CredentialRow = readonly [
  id: string,
  tenantId: string,
  name: string,
  plugin: string,
  sealed: Uint8Array,
  isDefault: number,
  createdAt: number,
];

export type KeyRow = readonly [
  id: string,
  hash: Uint8Array,
  name: string,
  role: string,
  tenantId: string,
  userId: string,
  createdAt: number,
  expiresAt: number | null,
];

export type AuditRow = readonly [
  id: string,
  at: number,
  tenantId: string,
  userId: string,
  keyId: string | null,
  role: string,
  action: string,
  target: string | null,
  outcome: string,
  code: string | null,
  traceId: string,
  details: string | null,
];

/** A page of rows that are ordered by `seq`, newest first; `next` is the `seq` after which the next page begins. */
export interface SeqPage<Row> {
  readonly rows: readonly Row[];
  readonly next: number | null;
}

/** Which page: up to `limit` rows with a `seq` below `below`. */
export interface SeqRange {
  readonly tenantId: string;
  readonly limit: number;
  readonly below: number | null;
}
