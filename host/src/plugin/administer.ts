import type { Context } from '../core/context.ts';
import { GoflowError, validationError } from '../core/errors.ts';
import type { PluginSettingsRecord } from '../core/records.ts';
import { askedByEntry, type InstalledVersion, type PluginEntry } from './entry.ts';
import type { Installed } from './installed.ts';
import { LoadCheckUnavailable } from './load-check.ts';
import { parseGrant } from './permissions.ts';
import type { InstallResult, LoadedPlugin, PluginAdmin, Plugins, PluginView } from './types.ts';
import { toLoadedPlugin, verifyBundle } from './verify.ts';
import { stateOf, viewOf } from './views.ts';

/** What admins do to plugins. Acts run one after the other; each is on the disk before it shows. */
export function administer(
  installed: Installed,
): Pick<Plugins, 'install' | 'remove' | 'grant' | 'setEnabled' | 'rollback'> {
  const { options, quarantine } = installed;
  const { log } = options;

  /** The entry that the admin sees, if it is theirs to change. */
  function administered(admin: PluginAdmin, name: string): PluginEntry {
    const entry = installed.registry.forTenant(admin.tenantId).entries.get(name);
    if (entry === undefined) throw new GoflowError('NOT_FOUND', `no plugin "${name}" is installed`);
    if (entry.tenantId !== null || admin.hostWide) return entry;
    throw new GoflowError(
      'FORBIDDEN',
      `plugin "${name}" is there for every tenant: only the bootstrap key may change it`,
    );
  }

  async function change(
    ctx: Context,
    admin: PluginAdmin,
    name: string,
    decide: (entry: PluginEntry) => Partial<PluginSettingsRecord>,
  ): Promise<PluginView> {
    return installed.exclusive(async () => {
      const entry = administered(admin, name);
      await installed.save(ctx, { ...entry.settings, ...decide(entry) });
      // The directory may have lost its file meanwhile; then the answer is how it was.
      return viewOf(installed.registry.entry(entry.tenantId, name) ?? entry, admin.tenantId, quarantine);
    });
  }

  /** The same bundle in the same scope, if it is there already. Throws CONFLICT when its version is, with other content. */
  function alreadyThere(plugin: LoadedPlugin): InstalledVersion | null {
    const { name, version } = plugin.manifest;
    const entry = installed.registry.entry(plugin.tenantId, name);
    const there = entry?.versions.find((other) => other.plugin.manifest.version === version);
    if (there === undefined || there.plugin.digest === plugin.digest) return there ?? null;
    throw new GoflowError(
      'CONFLICT',
      `${name} ${version} is installed with another digest, ${there.plugin.digest}: give the changed bundle a new version`,
    );
  }

  /** Throws BUNDLE_REFUSED when the code cannot be loaded in the sandbox. */
  async function loadOnce(plugin: LoadedPlugin): Promise<void> {
    let reason: string | null;
    try {
      reason = await installed.checks.check(plugin, { urgent: true });
    } catch (error) {
      if (!(error instanceof LoadCheckUnavailable)) throw error;
      throw new GoflowError('SHUTTING_DOWN', error.message, { cause: error, retryAfter: 1 });
    }
    if (reason !== null) throw new GoflowError('BUNDLE_REFUSED', reason);
  }

  async function install(ctx: Context, admin: PluginAdmin, body: Uint8Array): Promise<InstallResult> {
    const verified = verifyBundle(body, installed.memory);
    if (!verified.ok) throw new GoflowError('BUNDLE_REFUSED', verified.reason);
    const tenantId = admin.hostWide ? null : admin.tenantId;
    const plugin = toLoadedPlugin(verified, tenantId, options.firstPartyDigests, installed.trust);
    const untrusted = installed.trust.refusal(plugin);
    if (untrusted !== null) throw new GoflowError('BUNDLE_REFUSED', untrusted);
    const { name, version } = plugin.manifest;
    if (alreadyThere(plugin) === null) await loadOnce(plugin);
    return installed.exclusive(async () => {
      const created = alreadyThere(plugin) === null;
      if (created) {
        await installed.addUpload(ctx, plugin, body);
        log.info(ctx, 'plugin installed', { plugin: name, version, digest: plugin.digest });
      }
      await installed.unpin(ctx, plugin);
      const entry = installed.registry.entry(plugin.tenantId, name) as PluginEntry;
      const waits = entry.pending?.digest === plugin.digest;
      return {
        created,
        manifest: plugin.manifest,
        digest: plugin.digest,
        state: waits ? 'needs_grant' : stateOf(entry, admin.tenantId, quarantine),
        permissions_to_grant: entry.toGrant,
      };
    });
  }

  return {
    install,
    async remove(ctx, admin, name) {
      await installed.exclusive(async () => {
        const entry = administered(admin, name);
        const files = entry.versions.filter(({ source }) => source === 'directory').map(({ file }) => file);
        if (files.length > 0) {
          const which = `delete the file ${files.join(', ')} there`;
          throw new GoflowError('CONFLICT', `plugin "${name}" comes from the plugins directory: ${which}`);
        }
        await installed.removeUploads(ctx, entry);
        log.info(ctx, 'plugin removed', { plugin: name });
      });
    },
    grant(ctx, admin, name, permissions) {
      return change(ctx, admin, name, (entry) => {
        const asked = askedByEntry(entry);
        const parsed = parseGrant(permissions, asked);
        if (parsed.problems.length > 0) throw validationError(parsed.problems);
        log.info(ctx, 'plugin granted', { plugin: name, permissions: parsed.permissions });
        return { granted: parsed.permissions, decided: asked };
      });
    },
    setEnabled(ctx, admin, name, enabled) {
      return change(ctx, admin, name, ({ current, tenantId }) => {
        if (enabled && tenantId === null) quarantine.liftAll(current.digest);
        else if (enabled) quarantine.lift(current.digest, admin.tenantId);
        log.info(ctx, enabled ? 'plugin enabled' : 'plugin disabled', { plugin: name });
        return { enabled };
      });
    },
    rollback(ctx, admin, name) {
      return change(ctx, admin, name, (entry) => {
        const { version } = entry.current.manifest;
        const before = entry.versions[entry.versions.findIndex(({ plugin }) => plugin === entry.current) + 1];
        if (before === undefined) {
          throw new GoflowError('CONFLICT', `plugin "${name}" has no version before ${version} to return to`);
        }
        const pinned_version = before.plugin.manifest.version;
        log.info(ctx, 'plugin rolled back', { plugin: name, from: version, to: pinned_version });
        return { pinned_version };
      });
    },
  };
}
