import type { JsonValue } from '@goflow/plugin-sdk/contract';
import type { Context } from '../core/context.ts';
import type { Page, WorkflowRecord } from '../core/records.ts';
import type { PageRequest } from '../store/store.ts';

/** Workflow definitions and their versions. Bodies are unchecked JSON; each method throws VALIDATION_FAILED with every problem. */
export interface Workflows {
  create(ctx: Context, body: JsonValue): Promise<WorkflowRecord>;
  get(ctx: Context, id: string): Promise<WorkflowRecord>;
  list(ctx: Context, page: PageRequest): Promise<Page<WorkflowRecord>>;
  /** A new version; creates the workflow when the id is free. */
  put(
    ctx: Context,
    id: string,
    body: JsonValue,
  ): Promise<{ readonly workflow: WorkflowRecord; readonly created: boolean }>;
  /** JSON Merge Patch (RFC 7396) on the stored body, then as `put`. */
  patch(ctx: Context, id: string, body: JsonValue): Promise<WorkflowRecord>;
  toggle(ctx: Context, id: string): Promise<WorkflowRecord>;
  delete(ctx: Context, id: string): Promise<void>;
  /** Checked and normalised as `create` does, not stored: for a dry run. */
  draft(ctx: Context, body: JsonValue): Promise<WorkflowRecord>;
  /**
   * The workflow of a public webhook id, of whatever tenant; null where there is none. With `anyId` ids that a person chose need no code: for a
   * host that runs open, where nothing is secret.
   */
  findWebhook(ctx: Context, webhookId: string, anyId: boolean): Promise<WorkflowRecord | null>;
  /** The key that the messages of its webhook are signed with; null: they are not signed. */
  webhookKey(workflow: WorkflowRecord): Promise<Uint8Array | null>;
  /** What the API shows. */
  view(workflow: WorkflowRecord): JsonValue;
}
