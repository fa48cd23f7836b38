import { difference, type Manifest, type Permissions } from '@goflow/plugin-sdk/contract';
import semver from 'semver';
import type { PluginSettingsRecord } from '../core/records.ts';
import { intersection, isEmpty, union } from './permissions.ts';
import type { LoadedPlugin } from './types.ts';

/** One version of a plugin and where it came from. */
export interface InstalledVersion {
  readonly plugin: LoadedPlugin;
  readonly source: 'directory' | 'upload';
  /** Relative to the plugins directory, or the name in the data directory's `bundles`. */
  readonly file: string;
}

/** A plugin of one scope (all tenants, or one): its versions, what admins decided, and what follows from both. Immutable. */
export interface PluginEntry {
  readonly name: string;
  readonly tenantId: string | null;
  /** Newest first, never empty. */
  readonly versions: readonly InstalledVersion[];
  readonly settings: PluginSettingsRecord;
  /** The version that new runs get. */
  readonly current: LoadedPlugin;
  /** A newer one that asks for more than was decided on. */
  readonly pending: LoadedPlugin | null;
  readonly state: 'enabled' | 'disabled' | 'needs_grant';
  /** What `current` may reach. */
  readonly granted: Permissions;
  /** What `pending`, else `current`, asks beyond what it has. */
  readonly toGrant: Permissions;
}

export function defaultSettings(name: string, tenantId: string | null): PluginSettingsRecord {
  return { name, tenant_id: tenantId, granted: null, decided: null, enabled: true, pinned_version: null };
}

export function askedBy(plugin: LoadedPlugin): Permissions {
  return plugin.manifest.permissions ?? {};
}

/** What an admin can decide on now: all that the current and the pending version ask for. */
export function askedByEntry(entry: PluginEntry): Permissions {
  const asked = askedBy(entry.current);
  return entry.pending === null ? asked : union(asked, askedBy(entry.pending));
}

export function makeEntry(versions: readonly InstalledVersion[], settings: PluginSettingsRecord): PluginEntry {
  const sorted = [...versions].sort((a, b) => compareVersions(b.plugin.manifest, a.plugin.manifest));
  const { current, pending } = choose(sorted, settings);
  const toGrantOf = pending ?? current;
  return {
    name: settings.name,
    tenantId: settings.tenant_id,
    versions: sorted,
    settings,
    current,
    pending,
    state: !settings.enabled ? 'disabled' : isDecided(current, settings) ? 'enabled' : 'needs_grant',
    granted: grantedTo(current, settings),
    toGrant: difference(askedBy(toGrantOf), grantedTo(toGrantOf, settings)),
  };
}

/** Semver precedence; build metadata breaks ties so that the order never depends on the order of loading. */
export function compareVersions(a: Pick<Manifest, 'version'>, b: Pick<Manifest, 'version'>): number {
  return semver.compareBuild(a.version, b.version);
}

/** The pinned version, else the newest that needs no decision, else the newest. */
function choose(
  versions: readonly InstalledVersion[],
  settings: PluginSettingsRecord,
): { readonly current: LoadedPlugin; readonly pending: LoadedPlugin | null } {
  const newest = (versions[0] as InstalledVersion).plugin;
  const pinned = versions.find(({ plugin }) => plugin.manifest.version === settings.pinned_version);
  if (pinned !== undefined) return { current: pinned.plugin, pending: null };
  const current = versions.find(({ plugin }) => isDecided(plugin, settings))?.plugin ?? newest;
  return { current, pending: current === newest ? null : newest };
}

/** Whether a version may run: it asks for nothing that an admin has yet to decide on, and was not denied everything. */
function isDecided(plugin: LoadedPlugin, settings: PluginSettingsRecord): boolean {
  const asked = askedBy(plugin);
  if (isEmpty(asked)) return true;
  const undecided = plugin.firstParty ? {} : difference(asked, settings.decided ?? {});
  return isEmpty(undecided) && !isEmpty(grantedTo(plugin, settings));
}

/** First-party bundles have what they ask, save what an admin has explicitly left out. */
function grantedTo(plugin: LoadedPlugin, settings: PluginSettingsRecord): Permissions {
  const asked = askedBy(plugin);
  const granted = intersection(asked, settings.granted ?? {});
  return plugin.firstParty ? union(granted, difference(asked, settings.decided ?? {})) : granted;
}
