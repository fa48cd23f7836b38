import type { ActionManifest, JsonObject, Manifest, Permissions } from '@goflow/plugin-sdk/contract';
import type { BundleCode } from '@goflow/plugin-sdk/runtime';
import type { Context } from '../core/context.ts';

export type PluginState = 'enabled' | 'disabled' | 'needs_grant' | 'quarantined' | 'refused';

/** A loaded bundle version, immutable: what a run holds on to. */
export interface LoadedPlugin {
  readonly manifest: Manifest;
  readonly digest: string;
  /** Null: there for every tenant. */
  readonly tenantId: string | null;
  /** First-party bundles that ship with the host are granted what they ask. */
  readonly firstParty: boolean;
  readonly bundle: BundleCode;
  /** Who signed it, as far as this host's trust looks at that. */
  readonly signers?: Signers;
}

/** Key ids of the signatures on a bundle. */
export interface Signers {
  /** Trusted keys whose signature is good. */
  readonly trusted: readonly string[];
  /** What the signatures say of themselves. */
  readonly claimed: readonly string[];
}

/** An action as a workflow names it, found for a tenant. */
export interface ResolvedAction {
  readonly plugin: LoadedPlugin;
  readonly id: string;
  readonly action: ActionManifest;
  /** What the plugin may reach for this tenant, now: never more than the manifest asks. */
  readonly granted: Permissions;
  readonly state: PluginState;
}

export type ActionLookup =
  | { readonly found: true; readonly action: ResolvedAction }
  | { readonly found: false /** For people: what is missing and what to do. */; readonly reason: string };

/** What `GET /api/plugins` shows of a plugin. */
export interface PluginView {
  readonly name: string;
  readonly version: string;
  readonly state: PluginState;
  readonly digest: string;
  readonly title: string | null;
  readonly description: string | null;
  readonly manifest: Manifest;
  readonly versions: readonly {
    readonly version: string;
    readonly digest: string;
    readonly source: 'directory' | 'upload';
  }[];
  readonly permissions: Permissions;
  readonly grants: Permissions;
  /** What the current version, or the one that waits for a grant, asks beyond its grants. */
  readonly permissions_to_grant: Permissions;
  /** A newer version that asks for more than was decided on; it takes over once the difference is granted. */
  readonly pending_version: string | null;
  readonly health: JsonObject;
}

/** A file of the plugins directory that was refused. */
export interface RefusedView {
  readonly name: string | null;
  readonly version: string | null;
  readonly state: 'refused';
  readonly file: string;
  readonly reason: string;
}

export interface InstallResult {
  readonly created: boolean;
  readonly manifest: Manifest;
  readonly digest: string;
  readonly state: PluginState;
  readonly permissions_to_grant: Permissions;
}

/** How a call ended, as far as the plugin's health is concerned. `killed` comes on top of `timed_out` or `cancelled`: its thread had to be ended by force. */
export const CALL_OUTCOMES = [
  'succeeded',
  'failed',
  'timed_out',
  'cancelled',
  'killed',
  'out_of_memory',
  'crashed',
] as const;
export type CallOutcomeKind = (typeof CALL_OUTCOMES)[number];

/** Whether a call may go to a plugin now. */
export type Admission = 'go' | { readonly retryAfterMs: number };

/** Who administers: the bootstrap key (and open mode) host-wide, a tenant's admin its own tenant. */
export interface PluginAdmin {
  readonly tenantId: string;
  readonly hostWide: boolean;
}

/** The plugins of this host. Reads are synchronous: they look at an immutable set that is replaced as a whole. */
export interface Plugins {
  /** `name` or `plugin/name`, as a workflow of that tenant means it. */
  findAction(tenantId: string, reference: string): ActionLookup;
  /** The plugin as that tenant sees it, in its current version. */
  find(tenantId: string, name: string): LoadedPlugin | null;
  list(tenantId: string): ReadonlyArray<PluginView | RefusedView>;
  view(tenantId: string, name: string): PluginView | null;
  /** Every action of every enabled plugin. */
  actions(
    tenantId: string,
  ): ReadonlyArray<{ readonly plugin: LoadedPlugin; readonly id: string; readonly action: ActionManifest }>;
  /** Throws BUNDLE_REFUSED or CONFLICT. `body` is the bundle file's bytes. */
  install(ctx: Context, admin: PluginAdmin, body: Uint8Array): Promise<InstallResult>;
  /** Throws NOT_FOUND, FORBIDDEN (host-wide plugin, tenant's admin), CONFLICT (from the directory). */
  remove(ctx: Context, admin: PluginAdmin, name: string): Promise<void>;
  /** `permissions` is unchecked JSON. Throws VALIDATION_FAILED (pointers into the body, `/permissions/net/0`), NOT_FOUND, FORBIDDEN. */
  grant(ctx: Context, admin: PluginAdmin, name: string, permissions: unknown): Promise<PluginView>;
  /** Throws NOT_FOUND, FORBIDDEN. Enabling also lifts a quarantine. */
  setEnabled(ctx: Context, admin: PluginAdmin, name: string, enabled: boolean): Promise<PluginView>;
  /** Makes the version before the current one current. Throws NOT_FOUND, FORBIDDEN, CONFLICT when there is none. */
  rollback(ctx: Context, admin: PluginAdmin, name: string): Promise<PluginView>;
  /** To be asked before each call; after `'go'` the call's end has to be told by `noteOutcome`. */
  admit(digest: string, tenantId: string): Admission;
  noteOutcome(digest: string, tenantId: string, outcome: CallOutcomeKind): void;
  close(): Promise<void>;
}
