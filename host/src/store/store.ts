import type { Context } from '../core/context.ts';
import type {
  AuditRecord,
  CredentialRecord,
  IdempotencyRecord,
  KeyRecord,
  Page,
  PluginSettingsRecord,
  PluginVersionRecord,
  RunEnding,
  RunInternals,
  RunLogRecord,
  RunRecord,
  RunStatus,
  RunTrailRecord,
  StepRecord,
  WorkflowRecord,
} from '../core/records.ts';
import type { MetricFamily } from '../metrics/family.ts';

/**
 * Everything durable. A promise of a writing method resolves after the commit has reached the disk; writes that arrive in one turn share a
 * commit. Every method takes the context first: a call whose context has ended before it was sent is refused with the context's
 * reason (past the deadline: a TimeoutError); one that was sent is carried out. `runs.finish`, `runs.noteEnding`, `runs.saveStep` and `runs.appendLogs` are carried
 * out for an ended context too: they record what has happened.
 *
 * Rejects with STORE_FULL or STORE_UNAVAILABLE when nothing was written because the disk is full, the database locked, damaged or gone; calls work
 * again by themselves when the cause goes. Lists are newest first; a wrong `limit` or `cursor` rejects with VALIDATION_FAILED.
 */
export interface Store {
  readonly workflows: WorkflowStore;
  readonly runs: RunStore;
  readonly plugins: PluginStore;
  readonly credentials: CredentialStore;
  readonly keys: KeyStore;
  readonly audit: AuditStore;
  readonly schedules: ScheduleStore;
  readonly storage: PluginStorageStore;
  readonly vaultKeys: VaultKeyStore;
  /** Rejects when the database does not answer, or cannot be written at the moment. */
  ping(ctx: Context): Promise<void>;
  /** Copies everything as of one moment to a file, while work goes on. A file of that name is replaced when the copy is whole. */
  backup(ctx: Context, file: string): Promise<void>;
  /** What it has done since it was opened, for `GET /metrics`. */
  metrics?(): readonly MetricFamily[];
  close(): Promise<void>;
}

export interface WorkflowStore {
  /**
   * Rejects with CONFLICT when the tenant has one of this id, and with NOT_FOUND when the id was made by a host (`isGeneratedId`) and another tenant
   * has it. Answers the record as stored: under the id of a deleted workflow versions go on where they ended, because its runs keep theirs.
   */
  create(ctx: Context, workflow: WorkflowRecord): Promise<WorkflowRecord>;
  /** Writes a new version; rejects with CONFLICT when `expectedVersion` is not the current one. */
  update(ctx: Context, workflow: WorkflowRecord, expectedVersion: number): Promise<void>;
  /** Changes `is_active` without a new version. */
  setActive(ctx: Context, tenantId: string, id: string, active: boolean): Promise<WorkflowRecord | null>;
  /** The current version, or the one asked for (versions of a deleted workflow stay readable for its runs). */
  get(ctx: Context, tenantId: string, id: string, version?: number): Promise<WorkflowRecord | null>;
  /** Those of every tenant, oldest first: for webhooks, which know no tenant. */
  findById(ctx: Context, id: string): Promise<readonly WorkflowRecord[]>;
  list(ctx: Context, tenantId: string, page: PageRequest): Promise<Page<WorkflowRecord>>;
  delete(ctx: Context, tenantId: string, id: string): Promise<boolean>;
}

export interface PageRequest {
  /** 1 to 200. */
  readonly limit: number;
  /** Opaque; from an earlier page of the same list. */
  readonly cursor?: string;
}

export interface RunFilter extends PageRequest {
  readonly status?: RunStatus;
  readonly workflow_id?: string;
  /** Inclusive, by `created_at`. */
  readonly since?: string;
  /** Exclusive. */
  readonly until?: string;
}

export interface RunStore {
  /**
   * Writes a run as accepted. With `idempotency`, both are written or neither: when the key is taken (and younger than 24 h) nothing is
   * written and the earlier record comes back.
   */
  accept(
    ctx: Context,
    run: RunRecord,
    internals: RunInternals,
    idempotency?: IdempotencyRecord,
  ): Promise<{ readonly existing: IdempotencyRecord | null }>;
  /** Marks an attempt as started. Returns false when the run has ended meanwhile. */
  start(ctx: Context, runId: string, attempt: number, startedAt: string): Promise<boolean>;
  /** Writes a finished step (or its attempt) of a run that goes on. */
  saveStep(ctx: Context, runId: string, steps: readonly StepRecord[], trail?: RunTrailRecord): Promise<void>;
  /** Writes the end of a run with its last logs. A run that has ended never changes: returns false then. */
  finish(ctx: Context, run: RunRecord, logs: readonly RunLogRecord[]): Promise<boolean>;
  /** Fills in how the work of a run that was ended from outside came to its end: only where that is still null. Returns false else. */
  noteEnding(ctx: Context, runId: string, ending: RunEnding): Promise<boolean>;
  appendLogs(ctx: Context, runId: string, logs: readonly RunLogRecord[]): Promise<void>;
  get(ctx: Context, tenantId: string, id: string): Promise<RunRecord | null>;
  /** What `get` does not show; for replay and recovery. */
  internals(ctx: Context, id: string): Promise<RunInternals | null>;
  list(ctx: Context, tenantId: string, filter: RunFilter): Promise<Page<RunRecord>>;
  logs(ctx: Context, tenantId: string, id: string, after: number, limit: number): Promise<readonly RunLogRecord[]>;
  /** Runs of all tenants that have not ended, oldest first: what a restart has to take up. */
  unfinished(
    ctx: Context,
    after: string | null,
    limit: number,
  ): Promise<ReadonlyArray<{ readonly run: RunRecord; readonly internals: RunInternals }>>;
  findIdempotency(ctx: Context, tenantId: string, workflowId: string, key: string): Promise<IdempotencyRecord | null>;
  /** Deletes some of the oldest ended runs with their logs, and some expired idempotency keys. There may be more of what `limit` were deleted of. */
  prune(ctx: Context, retention: Retention): Promise<{ readonly runs: number; readonly keys: number }>;
}

export interface Retention {
  /** Runs accepted before this time go. */
  readonly before?: string;
  /** Runs beyond the newest so many, over all tenants, go. */
  readonly keep?: number;
  /** Runs deleted by one call; some hundreds keep the commits beside it quick. */
  readonly limit: number;
}

export interface PluginStore {
  /** Rejects with CONFLICT when name, version and tenant are there with another digest. */
  addVersion(ctx: Context, version: PluginVersionRecord): Promise<void>;
  removeVersions(ctx: Context, tenantId: string | null, name: string): Promise<readonly PluginVersionRecord[]>;
  listVersions(ctx: Context): Promise<readonly PluginVersionRecord[]>;
  putSettings(ctx: Context, settings: PluginSettingsRecord): Promise<void>;
  listSettings(ctx: Context): Promise<readonly PluginSettingsRecord[]>;
}

export interface CredentialStore {
  /** Rejects with CONFLICT when the tenant has one of that name for that plugin. A new default takes the place of the one before. */
  create(ctx: Context, credential: CredentialRecord): Promise<void>;
  list(ctx: Context, tenantId: string, page: PageRequest): Promise<Page<CredentialRecord>>;
  /** All of a tenant for one plugin. */
  forPlugin(ctx: Context, tenantId: string, plugin: string): Promise<readonly CredentialRecord[]>;
  delete(ctx: Context, tenantId: string, id: string): Promise<boolean>;
}

export interface KeyStore {
  create(ctx: Context, key: KeyRecord): Promise<void>;
  findByHash(ctx: Context, hash: Uint8Array): Promise<KeyRecord | null>;
  list(ctx: Context, tenantId: string, page: PageRequest): Promise<Page<KeyRecord>>;
  delete(ctx: Context, tenantId: string, id: string): Promise<boolean>;
  /** Whether any key exists, of any tenant. */
  any(ctx: Context): Promise<boolean>;
}

export interface AuditFilter extends PageRequest {
  /** Inclusive. */
  readonly since?: string;
  /** Exclusive. */
  readonly until?: string;
  /** A user, or the id of a key. */
  readonly actor?: string;
  readonly action?: string;
}

/** The audit trail: what is written stays. `append` is carried out for an ended context too. */
export interface AuditStore {
  append(ctx: Context, record: AuditRecord): Promise<void>;
  list(ctx: Context, tenantId: string, filter: AuditFilter): Promise<Page<AuditRecord>>;
}

/** Which workflows have a schedule, and until when their ticks have been seen to (milliseconds since the epoch). */
export interface ScheduleStore {
  /** Active workflows of all tenants that may have a schedule; `last` null: never told. Begin after 0, go on after `next` until that is null. */
  list(
    ctx: Context,
    after: number,
    limit: number,
  ): Promise<{
    readonly items: ReadonlyArray<{ readonly workflow: WorkflowRecord; readonly last: number | null }>;
    readonly next: number | null;
  }>;
  /** A later tick that is stored already stays. */
  setLast(ctx: Context, tenantId: string, workflowId: string, tick: number): Promise<void>;
}

/** `ctx.storage` of connectors: per tenant and plugin. */
export interface PluginStorageStore {
  get(ctx: Context, tenantId: string, plugin: string, key: string): Promise<string | null>;
  set(ctx: Context, tenantId: string, plugin: string, key: string, json: string): Promise<void>;
  delete(ctx: Context, tenantId: string, plugin: string, key: string): Promise<void>;
  list(ctx: Context, tenantId: string, plugin: string, prefix: string): Promise<readonly string[]>;
}

/** Data keys of the vault, wrapped by the master key. */
export interface VaultKeyStore {
  get(ctx: Context, name: string): Promise<Uint8Array | null>;
  /** The first to add a key of that name wins; answers what is stored. */
  add(ctx: Context, name: string, wrapped: Uint8Array): Promise<Uint8Array>;
  list(ctx: Context): Promise<readonly VaultKeyRecord[]>;
  /** Replaces all or none; false, with nothing changed, when the stored names are not exactly these. */
  replaceAll(ctx: Context, keys: readonly VaultKeyRecord[]): Promise<boolean>;
}

export interface VaultKeyRecord {
  readonly name: string;
  readonly wrapped: Uint8Array;
}
