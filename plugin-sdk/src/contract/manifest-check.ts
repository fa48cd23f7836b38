import semver from 'semver';
import { below } from './canonical.ts';
import { type SchemaProblem, schemaProblems } from './json-schema.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { permissionFault } from './permissions.ts';
import { ACTION_ID, BUNDLE_FILES, type Limits, type Manifest, PLUGIN_NAME } from './manifest.ts';

/** A fault of a manifest with the place where it is. `pointer` is a JSON Pointer (RFC 6901) into the manifest. */
export type ManifestProblem = SchemaProblem;

/** What `limits` and `timeout_ms` may be, both ends included. A call never outlives its run: 24 hours. */
export const LIMIT_RANGES = {
  memory_mb: [16, 2048],
  concurrency: [1, 1024],
  timeout_ms: [1, 86_400_000],
} as const;

const MAX_ACTIONS = 256;
const MAX_PERMISSIONS = 256;

type Check = (value: unknown, pointer: string) => ManifestProblem[];

/**
 * Everything that is wrong with a manifest; empty when it is sound. Never throws, whatever `value` is.
 * A host and `goflow-plugin build` refuse by the same list.
 */
export function checkManifest(value: unknown): ManifestProblem[] {
  return members(value, '', MANIFEST_FIELDS, ['name', 'version', 'sdk', 'actions', 'digests']);
}

/** The limits that hold for a bundle: its own, else the defaults. */
export function effectiveLimits(manifest: Pick<Manifest, 'limits'>): Limits {
  return { ...DEFAULT_LIMITS, ...manifest.limits };
}

/** Longest call of an action, in milliseconds: its own `timeout_ms`, else that of the bundle's limits. */
export function actionTimeoutMs(manifest: Pick<Manifest, 'limits' | 'actions'>, action: string): number {
  const own = Object.hasOwn(manifest.actions, action) ? manifest.actions[action]?.timeout_ms : undefined;
  return own ?? effectiveLimits(manifest).timeout_ms;
}

const ACTION_FIELDS: Record<string, Check> = {
  title: text(200),
  description: text(10_000),
  input: schemaProblems,
  output: schemaProblems,
  timeout_ms: integer(...LIMIT_RANGES.timeout_ms),
  idempotent: boolean,
};

const MANIFEST_FIELDS: Record<string, Check> = {
  name: (value, pointer) =>
    typeof value === 'string' && PLUGIN_NAME.test(value) && value.length <= 128
      ? []
      : [
          {
            pointer,
            message: `must be lower-case letters, digits and "-", at most 64, optionally after "@scope/"; got ${show(value)}`,
          },
        ],
  version: semanticVersion,
  title: text(200),
  description: text(10_000),
  author: text(500),
  license: text(200),
  sdk: semanticVersion,
  actions: (value, pointer) => {
    if (!isObject(value)) return [{ pointer, message: `must be an object of actions; got ${show(value)}` }];
    const ids = Object.keys(value);
    if (ids.length === 0) return [{ pointer, message: 'must have at least one action' }];
    if (ids.length > MAX_ACTIONS)
      return [{ pointer, message: `has ${ids.length} actions; at most ${MAX_ACTIONS} are allowed` }];
    return ids.flatMap((id) =>
      ACTION_ID.test(id)
        ? members(value[id], below(pointer, id), ACTION_FIELDS, [])
        : [
            {
              pointer: below(pointer, id),
              message: 'is no action id: a lower-case letter, then lower-case letters, digits and "_", at most 64',
            },
          ],
    );
  },
  credential: (value, pointer) => {
    if (!isObject(value)) return [{ pointer, message: `must be a JSON Schema of type "object"; got ${show(value)}` }];
    if (value['type'] !== 'object')
      return [{ pointer: below(pointer, 'type'), message: 'must be "object": a credential has named values' }];
    return schemaProblems(value, pointer);
  },
  secrets: (value, pointer) =>
    value === 'placeholder' || value === 'value'
      ? []
      : [{ pointer, message: `must be "placeholder" or "value"; got ${show(value)}` }],
  permissions: (value, pointer) => members(value, pointer, PERMISSION_FIELDS, []),
  limits: (value, pointer) =>
    members(
      value,
      pointer,
      Object.fromEntries(Object.entries(LIMIT_RANGES).map(([key, [low, high]]) => [key, integer(low, high)])),
      [],
    ),
  digests: (value, pointer) => {
    if (!isObject(value)) return [{ pointer, message: `must be an object of digests; got ${show(value)}` }];
    const wrong = Object.keys(value).flatMap((name) => {
      if (!(BUNDLE_FILES as readonly string[]).includes(name))
        return [{ pointer: below(pointer, name), message: 'is no file of a bundle' }];
      return digest(value[name], below(pointer, name));
    });
    if (!Object.hasOwn(value, 'plugin.js')) wrong.push({ pointer: below(pointer, 'plugin.js'), message: 'is missing' });
    return wrong;
  },
};

const PERMISSION_FIELDS: Record<string, Check> = { net: entries('net'), connect: entries('connect'), storage: boolean };

/** Checks an object's members by a table; what is not in the table is refused. */
function members(
  value: unknown,
  pointer: string,
  fields: Record<string, Check>,
  required: readonly string[],
): ManifestProblem[] {
  if (!isObject(value)) return [{ pointer, message: `must be an object; got ${show(value)}` }];
  const problems: ManifestProblem[] = [];
  for (const name of required)
    if (!Object.hasOwn(value, name)) problems.push({ pointer: below(pointer, name), message: 'is missing' });
  for (const [name, member] of Object.entries(value)) {
    const check = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (check === undefined)
      problems.push({
        pointer: below(pointer, name),
        message: `is not a known field; there are ${Object.keys(fields).join(', ')}`,
      });
    else problems.push(...check(member, below(pointer, name)));
  }
  return problems;
}

function entries(kind: 'net' | 'connect'): Check {
  return (value, pointer) => {
    if (!Array.isArray(value)) return [{ pointer, message: `must be a list of hosts; got ${show(value)}` }];
    if (value.length > MAX_PERMISSIONS)
      return [{ pointer, message: `has ${value.length} entries; at most ${MAX_PERMISSIONS} are allowed` }];
    return value.flatMap((entry: unknown, index) => {
      const fault = typeof entry === 'string' ? permissionFault(kind, entry) : `must be a string; got ${show(entry)}`;
      return fault === null ? [] : [{ pointer: below(pointer, index), message: fault }];
    });
  };
}

function text(longest: number): Check {
  return (value, pointer) => {
    if (typeof value !== 'string') return [{ pointer, message: `must be a string; got ${show(value)}` }];
    return value.length <= longest ? [] : [{ pointer, message: `is longer than ${longest} characters` }];
  };
}

function integer(low: number, high: number): Check {
  return (value, pointer) =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high
      ? []
      : [{ pointer, message: `must be an integer from ${low} to ${high}; got ${show(value)}` }];
}

function boolean(value: unknown, pointer: string): ManifestProblem[] {
  return typeof value === 'boolean' ? [] : [{ pointer, message: `must be true or false; got ${show(value)}` }];
}

function semanticVersion(value: unknown, pointer: string): ManifestProblem[] {
  const sound = typeof value === 'string' && /^\d[0-9A-Za-z.+-]{0,99}$/.test(value) && semver.parse(value) !== null;
  return sound ? [] : [{ pointer, message: `must be a semantic version such as "1.0.0"; got ${show(value)}` }];
}

function digest(value: unknown, pointer: string): ManifestProblem[] {
  const sound = typeof value === 'string' && /^sha256-[A-Za-z0-9+/]{43}=$/.test(value);
  return sound ? [] : [{ pointer, message: `must be "sha256-" and 44 characters of base64; got ${show(value)}` }];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value for an error message: never long, never more than its outline. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const shown = JSON.stringify(value) ?? typeof value;
  return shown.length > 80 ? `${shown.slice(0, 77)}…` : shown;
}
