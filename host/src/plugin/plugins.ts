import { systemContext } from '../core/context.ts';
import { administer } from './administer.ts';
import { Installed, type PluginsOptions } from './installed.ts';
import { findAction } from './lookup.ts';
import type { Plugins } from './types.ts';
import { viewOf } from './views.ts';

export type { PluginsOptions } from './installed.ts';

/** Opens the plugins of a host. Resolves when all that is installed is known; waits for no engine. */
export async function createPlugins(options: PluginsOptions): Promise<Plugins> {
  const ctx = systemContext();
  const [versions, settings] = await Promise.all([
    options.store.plugins.listVersions(ctx),
    options.store.plugins.listSettings(ctx),
  ]);
  const installed = new Installed(options, versions, settings);
  const { quarantine } = installed;
  const seenBy = (tenantId: string) => installed.registry.forTenant(tenantId);

  return {
    ...administer(installed),
    findAction(tenantId, reference) {
      const found = findAction(seenBy(tenantId), reference, installed.registry.refused);
      if (!found.found || found.action.state !== 'enabled') return found;
      if (!quarantine.refuses(found.action.plugin.digest, tenantId)) return found;
      return { found: true, action: { ...found.action, state: 'quarantined' } };
    },
    find: (tenantId, name) => seenBy(tenantId).entries.get(name)?.current ?? null,
    list(tenantId) {
      const views = [...seenBy(tenantId).entries.values()].map((entry) => viewOf(entry, tenantId, quarantine));
      return [...views.sort((a, b) => (a.name < b.name ? -1 : 1)), ...installed.registry.refused];
    },
    view(tenantId, name) {
      const entry = seenBy(tenantId).entries.get(name);
      return entry === undefined ? null : viewOf(entry, tenantId, quarantine);
    },
    actions(tenantId) {
      const enabled = [...seenBy(tenantId).entries.values()].filter((entry) => entry.state === 'enabled');
      return enabled.flatMap(({ current }) =>
        Object.entries(current.manifest.actions).map(([id, action]) => ({ plugin: current, id, action })),
      );
    },
    admit: (digest, tenantId) => quarantine.admit(digest, tenantId),
    noteOutcome(digest, tenantId, outcome) {
      const held = quarantine.holds(digest, tenantId);
      quarantine.note(digest, tenantId, outcome);
      if (held || !quarantine.holds(digest, tenantId)) return;
      options.log.warn(null, 'plugin quarantined', { digest, tenant_id: tenantId, outcome });
    },
    close: () => installed.close(),
  };
}
