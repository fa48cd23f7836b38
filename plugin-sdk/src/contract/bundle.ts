import { below, canonicalJson, sha256 } from './canonical.ts';
import type { JsonObject } from './json.ts';
import { MAX_BUNDLE_BYTES } from './limits.ts';
import { checkManifest } from './manifest-check.ts';
import { BUNDLE_FILES, BUNDLE_FORMAT, type Bundle, type Manifest } from './manifest.ts';

/** Deepest nesting of a bundle file. */
const MAX_DEPTH = 64;
const MAX_SIGNATURES = 16;

/** Why a bundle is refused. `message` is for people; `pointer` a JSON Pointer into the bundle file where the fault has a place. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
  /** The same as `message`. */
  readonly reason: string;
  readonly pointer: string | undefined;

  constructor(reason: string, pointer?: string) {
    const whole = pointer === undefined || pointer === '' ? reason : `${pointer} ${reason}`;
    super(whole);
    this.reason = whole;
    this.pointer = pointer;
  }
}

/**
 * Reads a bundle file of a stranger. What comes back is whole and sound: format, fields, names, digests, manifest and schemas.
 *
 * @throws {BundleError} with the first reason why it is not.
 */
export function parseBundle(bytes: Uint8Array): { readonly bundle: Bundle; readonly digest: string } {
  if (bytes.byteLength > MAX_BUNDLE_BYTES) {
    throw new BundleError(`the file has ${bytes.byteLength} bytes; a bundle may have ${MAX_BUNDLE_BYTES}`);
  }
  const value = parseJson(decodeUtf8(bytes));
  checkShape(value, '', 0);
  const file = objectAt(value, '');
  if (file['format'] !== BUNDLE_FORMAT) throw new BundleError(`must be "${BUNDLE_FORMAT}"`, '/format');
  knownOnly(file, '', ['format', 'manifest', 'files', 'signatures']);

  const problems = checkManifest(file['manifest']);
  const [first] = problems;
  if (first !== undefined) {
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    throw new BundleError(first.message + more, `/manifest${first.pointer}`);
  }
  const manifest = file['manifest'] as Manifest;
  const files = checkFiles(objectAt(file['files'], '/files'), manifest);
  const bundle: Bundle = { format: BUNDLE_FORMAT, manifest, files, signatures: checkSignatures(file['signatures']) };
  return { bundle, digest: bundleDigest(bundle) };
}

/** What names a bundle: `sha256-…` over its format, manifest and files. Signatures, layout and the order of keys do not change it. */
export function bundleDigest(bundle: Pick<Bundle, 'format' | 'manifest' | 'files'>): string {
  return sha256(canonicalJson({ format: bundle.format, manifest: bundle.manifest, files: bundle.files }));
}

const MANIFEST_ORDER = [
  'name',
  'version',
  'title',
  'description',
  'author',
  'license',
  'sdk',
  'actions',
  'credential',
  'secrets',
  'permissions',
  'limits',
  'digests',
];
const ACTION_ORDER = ['title', 'description', 'input', 'output', 'timeout_ms', 'idempotent'];

/**
 * The text of a bundle file. Equal bundles give equal text: the fields of the format stand in a fixed order; actions and schemas keep
 * the author's, because forms are shown in it.
 */
export function serializeBundle(bundle: Bundle): string {
  const actions = Object.fromEntries(
    Object.entries(bundle.manifest.actions).map(([id, action]) => [id, inOrder(action, ACTION_ORDER)]),
  );
  const manifest = inOrder(
    { ...bundle.manifest, actions, digests: inOrder(bundle.manifest.digests, BUNDLE_FILES) },
    MANIFEST_ORDER,
  );
  const file = {
    format: bundle.format,
    manifest,
    files: inOrder(bundle.files, BUNDLE_FILES),
    signatures: bundle.signatures,
  };
  return `${JSON.stringify(file, null, 1)}\n`;
}

function inOrder(value: object, order: readonly string[]): Record<string, unknown> {
  const source = value as Record<string, unknown>;
  return Object.fromEntries(order.filter((key) => source[key] !== undefined).map((key) => [key, source[key]]));
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new BundleError('the file is not UTF-8 text');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8 quotes the text around the fault; a bundle may be anything, so only the place is told.
    const place =
      error instanceof Error ? /at position \d+(?: \(line \d+ column \d+\))?/.exec(error.message)?.[0] : undefined;
    throw new BundleError(`the file is not JSON${place === undefined ? '' : `: fault ${place}`}`);
  }
}

/** Before anything recursive touches it: no deep nesting, no numbers or texts that have two readings, no keys that are traps. */
function checkShape(value: unknown, pointer: string, depth: number): void {
  if (typeof value === 'string' && !value.isWellFormed())
    throw new BundleError('holds half of a surrogate pair', pointer);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new BundleError('is a number out of range', pointer);
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_DEPTH) throw new BundleError(`the file is nested deeper than ${MAX_DEPTH} levels`);
  for (const [key, member] of Object.entries(value)) {
    if (key === '__proto__') throw new BundleError('"__proto__" is not allowed as a key', pointer);
    if (!key.isWellFormed()) throw new BundleError('has a key with half of a surrogate pair', pointer);
    checkShape(member, below(pointer, key), depth + 1);
  }
}

function objectAt(value: unknown, pointer: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new BundleError(pointer === '' ? 'the file must hold a JSON object' : 'must be an object', pointer);
}

function knownOnly(value: object, pointer: string, known: readonly string[]): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key))
      throw new BundleError(`is not known; allowed are ${known.join(', ')}`, below(pointer, key));
  }
}

function checkFiles(files: Record<string, unknown>, manifest: Manifest): Bundle['files'] {
  knownOnly(files, '/files', BUNDLE_FILES);
  for (const [name, text] of Object.entries(files)) {
    if (typeof text !== 'string') throw new BundleError('must be the text of the file', below('/files', name));
    const expected = manifest.digests[name];
    if (expected !== undefined && sha256(text) !== expected) {
      throw new BundleError(
        'does not match its digest in the manifest: the bundle was changed after it was built',
        below('/files', name),
      );
    }
  }
  if (files['plugin.js'] === undefined) throw new BundleError('is missing', '/files/plugin.js');
  for (const name of Object.keys(manifest.digests)) {
    if (files[name] === undefined)
      throw new BundleError(`has a digest for ${name}, which is not in the bundle`, '/manifest/digests');
  }
  return files as Bundle['files'];
}

function checkSignatures(value: unknown): readonly JsonObject[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new BundleError('must be a list', '/signatures');
  if (value.length > MAX_SIGNATURES)
    throw new BundleError(`has ${value.length} entries; at most ${MAX_SIGNATURES} are allowed`, '/signatures');
  value.forEach((entry: unknown, index) => {
    const pointer = below('/signatures', index);
    const signature = objectAt(entry, pointer);
    knownOnly(signature, pointer, ['keyid', 'alg', 'sig']);
    for (const key of ['keyid', 'alg', 'sig']) {
      if (typeof signature[key] !== 'string' || signature[key].length > 512)
        throw new BundleError('must be a string', below(pointer, key));
    }
  });
  return value as JsonObject[];
}
