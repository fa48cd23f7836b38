import type { PluginSettingsRecord } from '../core/records.ts';
import { defaultSettings, type InstalledVersion, makeEntry, type PluginEntry } from './entry.ts';
import type { RefusedView } from './types.ts';

/** The plugins that one tenant sees. Immutable. */
export interface TenantPlugins {
  /** By plugin name. */
  readonly entries: ReadonlyMap<string, PluginEntry>;
  /** Action id → the plugins that have it. */
  readonly byAction: ReadonlyMap<string, readonly PluginEntry[]>;
}

/** Everything installed at one moment. Never changed: a change makes another one, so that whoever reads sees one state. */
export interface Registry {
  /** A tenant's own plugins hide host-wide ones of the same name. */
  forTenant(tenantId: string): TenantPlugins;
  /** The entry of exactly this scope. */
  entry(tenantId: string | null, name: string): PluginEntry | undefined;
  readonly refused: readonly RefusedView[];
  readonly digests: ReadonlySet<string>;
}

export function buildRegistry(
  installed: readonly InstalledVersion[],
  settings: readonly PluginSettingsRecord[],
  refused: readonly RefusedView[],
): Registry {
  const settingsBy = new Map(settings.map((record) => [scoped(record.tenant_id, record.name), record]));
  const grouped = Map.groupBy(installed, ({ plugin }) => scoped(plugin.tenantId, plugin.manifest.name));
  const entries = new Map<string, PluginEntry>();
  const owners = new Set<string>();
  for (const [key, versions] of grouped) {
    const { manifest, tenantId } = (versions[0] as InstalledVersion).plugin;
    entries.set(key, makeEntry(versions, settingsBy.get(key) ?? defaultSettings(manifest.name, tenantId)));
    if (tenantId !== null) owners.add(tenantId);
  }
  const hostWide = tenantPlugins(entries.values(), null);
  const cache = new Map<string, TenantPlugins>();
  return {
    forTenant(tenantId) {
      if (!owners.has(tenantId)) return hostWide;
      let own = cache.get(tenantId);
      if (own === undefined) cache.set(tenantId, (own = tenantPlugins(entries.values(), tenantId)));
      return own;
    },
    entry: (tenantId, name) => entries.get(scoped(tenantId, name)),
    refused,
    digests: new Set(installed.map(({ plugin }) => plugin.digest)),
  };
}

/** Versions without those that cannot be: of one scope, the first of a name and version stays, one with another digest is told to `clash`. */
export function withoutClashes(
  installed: readonly InstalledVersion[],
  clash: (refused: InstalledVersion, stays: InstalledVersion) => void,
): InstalledVersion[] {
  const first = new Map<string, InstalledVersion>();
  return installed.filter((version) => {
    const { manifest, tenantId, digest } = version.plugin;
    const key = scoped(tenantId, `${manifest.name}@${manifest.version}`);
    const stays = first.get(key);
    if (stays === undefined) {
      first.set(key, version);
      return true;
    }
    if (stays.plugin.digest !== digest) clash(version, stays);
    return false;
  });
}

/** Digests that `before` has and `after` has not. */
export function goneDigests(before: Registry, after: Registry): readonly string[] {
  return [...before.digests].filter((digest) => !after.digests.has(digest));
}

function tenantPlugins(all: Iterable<PluginEntry>, tenantId: string | null): TenantPlugins {
  const entries = new Map<string, PluginEntry>();
  for (const entry of all) {
    if (entry.tenantId === null && !entries.has(entry.name)) entries.set(entry.name, entry);
    else if (entry.tenantId !== null && entry.tenantId === tenantId) entries.set(entry.name, entry);
  }
  const byAction = new Map<string, PluginEntry[]>();
  for (const entry of entries.values()) {
    for (const id of Object.keys(entry.current.manifest.actions)) {
      const having = byAction.get(id);
      if (having === undefined) byAction.set(id, [entry]);
      else having.push(entry);
    }
  }
  return { entries, byAction };
}

// Tenant ids hold no "/", and a plugin name never begins with one.
function scoped(tenantId: string | null, name: string): string {
  return `${tenantId ?? ''}/${name}`;
}
