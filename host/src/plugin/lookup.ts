import type { ActionManifest } from '@goflow/plugin-sdk/contract';
import type { PluginEntry } from './entry.ts';
import type { TenantPlugins } from './registry.ts';
import type { ActionLookup, RefusedView, ResolvedAction } from './types.ts';

/** A scoped plugin name and an action id have at most 128 and 64 characters. */
const LONGEST_REFERENCE = 256;

/** Finds what a workflow means by `action` or `plugin/action`. `@acme/mail/send` is the action `send` of the plugin `@acme/mail`. */
export function findAction(plugins: TenantPlugins, reference: string, refused: readonly RefusedView[]): ActionLookup {
  if (reference.length > LONGEST_REFERENCE) return { found: false, reason: 'the name of the action is too long' };
  const slash = reference.lastIndexOf('/');
  return slash < 0
    ? findByName(plugins, reference, refused)
    : findQualified(plugins, reference.slice(0, slash), reference.slice(slash + 1), refused);
}

/** The action of an entry's current version. */
export function resolve(entry: PluginEntry, id: string): ResolvedAction | null {
  const { actions } = entry.current.manifest;
  if (!Object.hasOwn(actions, id)) return null;
  return {
    plugin: entry.current,
    id,
    action: actions[id] as ActionManifest,
    granted: entry.granted,
    state: entry.state,
  };
}

function findByName(plugins: TenantPlugins, id: string, refused: readonly RefusedView[]): ActionLookup {
  const all = plugins.byAction.get(id) ?? [];
  // A plugin that an admin has switched off does not stand in the way of another one's action.
  const active = all.filter((entry) => entry.state !== 'disabled');
  const candidates = active.length > 0 ? active : all;
  const [entry] = candidates;
  if (entry === undefined) return notFound(plugins, id, id, refused);
  if (candidates.length > 1) {
    const names = candidates.map(({ name }) => `"${name}/${id}"`).sort();
    return { found: false, reason: `action "${id}" is in several plugins: write ${listed(names, 'or')}` };
  }
  return { found: true, action: resolve(entry, id) as ResolvedAction };
}

function findQualified(
  plugins: TenantPlugins,
  name: string,
  id: string,
  refused: readonly RefusedView[],
): ActionLookup {
  const entry = plugins.entries.get(name);
  if (entry === undefined) return notFound(plugins, `${name}/${id}`, id, refused, name);
  const action = resolve(entry, id);
  if (action !== null) return { found: true, action };
  const actions = Object.keys(entry.current.manifest.actions);
  const has = `it has ${listed(quoted(actions.slice(0, 10)), 'and')}${actions.length > 10 ? ', …' : ''}`;
  return { found: false, reason: `plugin "${name}" ${entry.current.manifest.version} has no action "${id}"; ${has}` };
}

/** Says what is missing, what was perhaps meant, and what to do. */
function notFound(
  plugins: TenantPlugins,
  reference: string,
  id: string,
  refused: readonly RefusedView[],
  pluginName?: string,
): ActionLookup {
  const asPlugin = plugins.entries.get(reference);
  if (asPlugin !== undefined) {
    const actions = Object.keys(asPlugin.current.manifest.actions).map((action) => `"${reference}/${action}"`);
    return {
      found: false,
      reason: `"${reference}" is a plugin: name one of its actions, ${listed(actions.slice(0, 10), 'or')}`,
    };
  }
  const what =
    pluginName === undefined ? `no installed plugin has an action "${id}"` : `no plugin "${pluginName}" is installed`;
  const broken = pluginName === undefined ? undefined : refused.find((file) => file.name === pluginName);
  if (broken !== undefined)
    return { found: false, reason: `${what}: its file ${broken.file} was refused: ${broken.reason}` };
  const known = [...plugins.byAction].flatMap(([action, entries]) => [
    action,
    ...entries.map(({ name }) => `${name}/${action}`),
  ]);
  const close = closest(reference, known);
  const hint =
    close.length > 0
      ? `did you mean ${listed(quoted(close), 'or')}?`
      : 'see GET /api/actions for what there is, or install the plugin';
  return { found: false, reason: `${what}; ${hint}` };
}

/** Up to three known names that look like the wanted one, nearest first. */
function closest(wanted: string, known: readonly string[]): string[] {
  const most = Math.min(3, Math.floor(wanted.length / 3));
  return known
    .map((name) => ({
      name,
      distance: name.startsWith(wanted) && wanted.length >= 3 ? 1 : distance(wanted, name, most),
    }))
    .filter((candidate) => candidate.distance <= most)
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Levenshtein's distance; anything above `most` is given as `most + 1`. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

function quoted(names: readonly string[]): string[] {
  return names.map((name) => `"${name}"`);
}

function listed(names: readonly string[], word: 'and' | 'or'): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${word} ${names.at(-1)}`;
}
