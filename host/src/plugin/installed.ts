import path from 'node:path';
import type { Engine } from '@goflow/plugin-sdk/runtime';
import { type Context, systemContext } from '../core/context.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { PluginSettingsRecord, PluginVersionRecord } from '../core/records.ts';
import type { Store } from '../store/store.ts';
import { type BundleMemory, openBundleMemory } from './bundle-memory.ts';
import { type BundleFiles, openBundleFiles } from './bundle-files.ts';
import { openPluginDirectory, type PluginDirectory } from './directory.ts';
import { compareVersions, defaultSettings, type InstalledVersion, type PluginEntry } from './entry.ts';
import { createLoadChecks, type LoadChecks } from './load-check.ts';
import { createQuarantine, type Quarantine } from './quarantine.ts';
import { buildRegistry, goneDigests, type Registry, withoutClashes } from './registry.ts';
import type { LoadedPlugin, RefusedView } from './types.ts';
import { TAKE_ALL, type Trust } from './trust.ts';
import { toLoadedPlugin, verifyBundle } from './verify.ts';

export interface PluginsOptions {
  readonly store: Pick<Store, 'plugins'>;
  readonly engine: Pick<Engine, 'describe' | 'close'>;
  /** The logger of the component `plugin`. */
  readonly log: Logger;
  /** The drop-in directory; it need not exist. */
  readonly pluginsDir: string;
  /** Uploaded bundles are kept in its `bundles` folder. */
  readonly dataDir: string;
  /** Digests of the bundles that ship with the host: they are granted what they ask. */
  readonly firstPartyDigests: ReadonlySet<string>;
  /** Default: every sound bundle is taken. */
  readonly trust?: Trust;
  /** Told when plugins that were there are revoked: what runs of them has to end. */
  readonly onRevoked?: (digests: ReadonlySet<string>) => void;
}

interface Upload {
  readonly record: PluginVersionRecord;
  readonly plugin: LoadedPlugin;
}

/** What is installed: uploads, the directory's files, and the admins' settings; and the registry that follows from them. */
export class Installed {
  readonly options: PluginsOptions;
  readonly checks: LoadChecks;
  readonly quarantine: Quarantine = createQuarantine();
  /** For `verifyBundle`. */
  readonly memory: BundleMemory;
  readonly trust: Trust;
  readonly #bundles: BundleFiles;
  readonly #directory: PluginDirectory;
  readonly #lost: RefusedView[] = [];
  #uploads: readonly Upload[];
  #settings: readonly PluginSettingsRecord[];
  #registry: Registry = buildRegistry([], [], []);
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    options: PluginsOptions,
    versions: readonly PluginVersionRecord[],
    settings: readonly PluginSettingsRecord[],
  ) {
    this.options = options;
    this.trust = options.trust ?? TAKE_ALL;
    this.#settings = settings;
    this.#bundles = openBundleFiles(options.dataDir);
    this.#bundles.sweep(new Set(versions.map(({ file }) => file)));
    this.memory = openBundleMemory(path.join(this.#bundles.dir, 'known'));
    this.#uploads = versions.flatMap((record) => this.#readUpload(record));
    this.checks = createLoadChecks({ engine: options.engine, memory: this.memory });
    this.#directory = openPluginDirectory({
      dir: options.pluginsDir,
      verify: (bytes) => verifyBundle(bytes, this.memory),
      toPlugin: (verified) => toLoadedPlugin(verified, null, options.firstPartyDigests, this.trust),
      checks: this.checks,
      onChange: () => this.#onDirectoryChange(),
      onUnchecked: (file, error) =>
        options.log.warn(null, 'plugin code could not be checked', { file, 'error.message': messageOf(error) }),
    });
    this.#registry = this.#build();
    for (const refused of this.#registry.refused) this.#logRefused(refused);
    this.#directory.start();
    this.trust.watch(() => this.#onRevocations());
  }

  get registry(): Registry {
    return this.#registry;
  }

  /** Runs administrative acts one after the other. */
  async exclusive<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(act, act);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Writes an uploaded bundle and its record. The file first: a record never points at nothing. */
  async addUpload(ctx: Context, plugin: LoadedPlugin, bytes: Uint8Array): Promise<void> {
    const { manifest, digest, tenantId } = plugin;
    const file = await this.#bundles.write(digest, bytes);
    const record: PluginVersionRecord = {
      name: manifest.name,
      version: manifest.version,
      tenant_id: tenantId,
      digest,
      manifest,
      file,
      installed_at: new Date().toISOString(),
    };
    try {
      await this.options.store.plugins.addVersion(ctx, record);
    } catch (error) {
      await this.#removeUnused([file]);
      throw error;
    }
    this.#uploads = [...this.#uploads, { record, plugin }];
    this.#publish();
  }

  /** Removes all uploaded versions of a plugin, and what admins decided: another of that name must not inherit its grants. */
  async removeUploads(ctx: Context, entry: PluginEntry): Promise<void> {
    const { name, tenantId } = entry;
    await this.save(ctx, defaultSettings(name, tenantId));
    await this.options.store.plugins.removeVersions(ctx, tenantId, name);
    this.#uploads = this.#uploads.filter(({ record }) => record.tenant_id !== tenantId || record.name !== name);
    this.#publish();
    await this.#removeUnused(entry.versions.map(({ file }) => file));
  }

  async save(ctx: Context, settings: PluginSettingsRecord): Promise<void> {
    await this.options.store.plugins.putSettings(ctx, settings);
    const others = this.#settings.filter((one) => one.name !== settings.name || one.tenant_id !== settings.tenant_id);
    this.#settings = [...others, settings];
    this.#publish();
  }

  /** Ends a rollback when `plugin` is the newest version: bringing a version is how one goes forward again. */
  async unpin(ctx: Context, plugin: LoadedPlugin): Promise<void> {
    const entry = this.#registry.entry(plugin.tenantId, plugin.manifest.name);
    if (entry === undefined || entry.settings.pinned_version === null) return;
    if (entry.versions[0]?.plugin.digest === plugin.digest) {
      await this.save(ctx, { ...entry.settings, pinned_version: null });
    }
  }

  async close(): Promise<void> {
    this.trust.close();
    this.#directory.close();
    this.checks.close();
    await this.#last;
    await this.memory.close();
  }

  /** A bundle's file is shared by all tenants that uploaded the same bytes. */
  async #removeUnused(files: readonly string[]): Promise<void> {
    const used = new Set(this.#uploads.map(({ record }) => record.file));
    for (const file of files) if (!used.has(file)) await this.#bundles.remove(file);
  }

  #readUpload(record: PluginVersionRecord): readonly Upload[] {
    try {
      const verified = verifyBundle(this.#bundles.read(record.file), this.memory);
      if (!verified.ok) throw new Error(verified.reason);
      if (verified.digest !== record.digest) throw new Error(`its digest is ${verified.digest}, not the installed one`);
      const { firstPartyDigests } = this.options;
      return [{ record, plugin: toLoadedPlugin(verified, record.tenant_id, firstPartyDigests, this.trust) }];
    } catch (error) {
      const { name, version } = record;
      const file = path.join('bundles', record.file);
      this.#lost.push({ name, version, state: 'refused', file, reason: messageOf(error) });
      return [];
    }
  }

  /** All that is installed now. Uploads come first: a file of the directory never displaces one. */
  #build(): Registry {
    const refused: RefusedView[] = [...this.#lost];
    const uploads = this.#uploads.map(({ record, plugin }) => ({
      plugin,
      source: 'upload' as const,
      file: record.file,
    }));
    const installed: InstalledVersion[] = [...uploads];
    const files = [...this.#directory.files()].sort(([, a], [, b]) => a.order - b.order);
    for (const [file, outcome] of files) {
      if (outcome.ok) installed.push({ plugin: outcome.plugin, source: 'directory', file });
      else
        refused.push({ name: outcome.name, version: outcome.version, state: 'refused', file, reason: outcome.reason });
    }
    const trusted = installed.filter(({ plugin, source, file }) => {
      const reason = this.trust.refusal(plugin);
      if (reason === null) return true;
      const { name, version } = plugin.manifest;
      const where = source === 'upload' ? path.join('bundles', file) : file;
      refused.push({ name, version, state: 'refused', file: where, reason });
      return false;
    });
    const sound = withoutClashes(trusted, ({ plugin, file }, stays) => {
      const { name, version } = plugin.manifest;
      const where = stays.source === 'upload' ? 'an upload' : stays.file;
      const reason = `${name} ${version} is already there with another digest, from ${where}`;
      refused.push({ name, version, state: 'refused', file, reason });
    });
    return buildRegistry(sound, this.#settings, refused);
  }

  #publish(): void {
    const before = this.#registry;
    this.#registry = this.#build();
    for (const digest of goneDigests(before, this.#registry)) {
      this.options.engine.close(digest);
      this.quarantine.forget(digest);
    }
  }

  /** What is revoked is offered no more, and what runs of it is ended. */
  #onRevocations(): void {
    const before = this.#registry;
    this.#publish();
    const gone = new Set(goneDigests(before, this.#registry));
    if (gone.size > 0) this.options.onRevoked?.(gone);
    const known = new Set(before.refused.map(({ file }) => file));
    for (const refused of this.#registry.refused) if (!known.has(refused.file)) this.#logRefused(refused);
  }

  #onDirectoryChange(): void {
    const before = this.#registry;
    this.#publish();
    const known = new Set(before.refused.map((refused) => `${refused.file} ${refused.reason}`));
    for (const refused of this.#registry.refused) {
      if (!known.has(`${refused.file} ${refused.reason}`)) this.#logRefused(refused);
    }
    for (const [file, outcome] of this.#directory.files()) {
      if (!outcome.ok || before.digests.has(outcome.plugin.digest)) continue;
      const { name, version } = outcome.plugin.manifest;
      this.options.log.info(null, 'plugin loaded', { plugin: name, version, digest: outcome.plugin.digest, file });
      const newest = before.entry(null, name)?.versions[0]?.plugin.manifest;
      if (newest !== undefined && compareVersions(outcome.plugin.manifest, newest) > 0) this.#follow(outcome.plugin);
    }
  }

  /** A version newer than all that were there when somebody rolled back takes over, as with an upload. */
  #follow(plugin: LoadedPlugin): void {
    this.exclusive(() => this.unpin(systemContext(), plugin)).catch((error: unknown) => {
      const { name } = plugin.manifest;
      this.options.log.error(null, 'rollback could not be ended', { plugin: name, 'error.message': messageOf(error) });
    });
  }

  #logRefused({ file, reason, name, version }: RefusedView): void {
    this.options.log.warn(null, 'plugin refused', { file, reason, plugin: name, version });
  }
}
