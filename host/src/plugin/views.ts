import type { JsonObject } from '@goflow/plugin-sdk/contract';
import { askedByEntry, type PluginEntry } from './entry.ts';
import type { Quarantine } from './quarantine.ts';
import type { PluginState, PluginView } from './types.ts';

/** A plugin's state for a tenant: what admins decided, then whether it is in quarantine. */
export function stateOf(entry: PluginEntry, tenantId: string, quarantine: Quarantine): PluginState {
  return entry.state === 'enabled' && quarantine.holds(entry.current.digest, tenantId) ? 'quarantined' : entry.state;
}

export function viewOf(entry: PluginEntry, tenantId: string, quarantine: Quarantine): PluginView {
  const { manifest, digest } = entry.current;
  return {
    name: entry.name,
    version: manifest.version,
    state: stateOf(entry, tenantId, quarantine),
    digest,
    title: manifest.title ?? null,
    description: manifest.description ?? null,
    manifest,
    versions: entry.versions.map(({ plugin, source }) => ({
      version: plugin.manifest.version,
      digest: plugin.digest,
      source,
    })),
    permissions: askedByEntry(entry),
    grants: entry.granted,
    permissions_to_grant: entry.toGrant,
    pending_version: entry.pending?.manifest.version ?? null,
    health: quarantine.health(digest, tenantId) as unknown as JsonObject,
  };
}
