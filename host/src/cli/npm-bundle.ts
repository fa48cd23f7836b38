import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { BundleError, parseBundle, parseVerifyKey, verifySignatures } from '@goflow/plugin-sdk/contract';
import { CommandFailure } from './failure.ts';
import { readText } from './read-file.ts';

export interface NpmOptions {
  /** URL of the registry. */
  readonly registry: string;
  /** The digest that the bundle has to have. */
  readonly digest: string | undefined;
  /** Public key file of which the bundle has to be signed. */
  readonly signedBy: string | undefined;
}

/** Bytes of a package, and of what is in it. */
const MAX_PACKAGE = 32 * 1024 * 1024;
const MAX_UNPACKED = 128 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

/**
 * The text of the bundle in an npm package: `npm:NAME@VERSION`. The package has to be what the registry says (`dist.integrity`), and the
 * bundle of the version that was asked for, of the digest and signed by the key that were named. Nothing of the package is run.
 */
export async function fetchNpmBundle(reference: string, options: NpmOptions): Promise<string> {
  const asked = /^npm:((?:@[a-z0-9._~-]+\/)?[a-z0-9._~-]+)@([^@/\s]+)$/i.exec(reference);
  if (asked === null)
    throw new CommandFailure(`${reference}: write npm:NAME@VERSION, as npm:@acme/goflow-crm@1.0.0`, 2);
  const [, name = '', wanted = ''] = asked;
  const registry = new URL(options.registry.endsWith('/') ? options.registry : `${options.registry}/`);
  const { version, tarball, integrity } = await findVersion(registry, name, wanted);
  const bytes = await download(tarball, MAX_PACKAGE);
  checkIntegrity(`${name}@${version}`, bytes, integrity);
  const text = await bundleIn(`${name}@${version}`, bytes);
  await checkBundle(`${name}@${version}`, text, options, version);
  return text;
}

interface Found {
  readonly version: string;
  readonly tarball: URL;
  readonly integrity: string;
}

async function findVersion(registry: URL, name: string, wanted: string): Promise<Found> {
  const url = new URL(name.replace('/', '%2f'), registry);
  const packument = JSON.parse(new TextDecoder().decode(await download(url, MAX_PACKAGE))) as {
    readonly 'dist-tags'?: Record<string, string>;
    readonly versions?: Record<string, { readonly dist?: { readonly tarball?: string; readonly integrity?: string } }>;
  };
  const version = own(packument['dist-tags'], wanted) ?? wanted;
  const dist = own(packument.versions, version)?.dist;
  if (dist?.tarball === undefined) throw new CommandFailure(`${name} has no version ${wanted} in ${registry.origin}`);
  if (dist.integrity === undefined)
    throw new CommandFailure(`${registry.origin} gives no integrity of ${name}@${version}: it cannot be checked`);
  const tarball = new URL(dist.tarball, registry);
  if (tarball.protocol !== 'https:' && tarball.origin !== registry.origin)
    throw new CommandFailure(
      `${name}@${version}: the registry names ${tarball.origin}, which is neither itself nor https`,
    );
  return { version, tarball, integrity: dist.integrity };
}

function own<Value>(record: Record<string, Value> | undefined, key: string): Value | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

async function download(url: URL, limit: number): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new CommandFailure(`no answer from ${url.origin}: ${(error as Error).message}`);
  }
  if (!response.ok) throw new CommandFailure(`${url.href} answered ${response.status}`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) throw new CommandFailure(`${url.href} has more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Any of the strongest hashes that the registry names has to fit (Subresource Integrity). */
function checkIntegrity(what: string, bytes: Uint8Array, integrity: string): void {
  const hashes = integrity.split(/\s+/).filter((hash) => hash.startsWith('sha512-'));
  const found = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  if (!hashes.includes(found))
    throw new CommandFailure(`${what} is not what the registry says: its integrity is ${found}`);
}

/** The only `*.goflow.json` of the package, at its top or in `dist`. */
async function bundleIn(what: string, packed: Uint8Array): Promise<string> {
  const tar = await promisify(gunzip)(packed, { maxOutputLength: MAX_UNPACKED }).catch((error: unknown) => {
    throw new CommandFailure(`${what} cannot be unpacked: ${(error as Error).message}`);
  });
  const bundles = [...filesOf(tar)].filter(({ path }) => /^[^/]+\/(?:dist\/)?[^/]+\.goflow\.json$/.test(path));
  const [bundle] = bundles;
  if (bundle !== undefined && bundles.length === 1) return new TextDecoder().decode(bundle.bytes);
  throw new CommandFailure(
    bundle === undefined
      ? `${what} holds no bundle: a *.goflow.json at its top or in dist`
      : `${what} holds ${bundles.length} bundles; it has to be one`,
  );
}

/** The regular files of a tar archive (ustar, as npm makes them). */
function* filesOf(tar: Buffer): Generator<{ readonly path: string; readonly bytes: Buffer }> {
  for (let at = 0; at + 512 <= tar.byteLength; ) {
    const header = tar.subarray(at, at + 512);
    const text = (from: number, length: number): string =>
      header.toString('utf8', from, from + length).replace(/\0[^]*$/, '');
    const name = text(0, 100);
    if (name === '') return;
    const size = Number.parseInt(text(124, 12).trim(), 8);
    if (!Number.isSafeInteger(size) || size < 0) return;
    const prefix = text(257, 5) === 'ustar' ? text(345, 155) : '';
    const kind = text(156, 1);
    if (kind === '0' || kind === '')
      yield { path: prefix === '' ? name : `${prefix}/${name}`, bytes: tar.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/** Fails unless the text is a sound bundle with the digest, the signature and the version that were named. */
export async function checkBundle(
  what: string,
  text: string,
  options: Pick<NpmOptions, 'digest' | 'signedBy'>,
  version?: string,
): Promise<void> {
  try {
    const { bundle, digest } = parseBundle(new TextEncoder().encode(text));
    if (version !== undefined && bundle.manifest.version !== version)
      throw new CommandFailure(`${what} holds ${bundle.manifest.name} ${bundle.manifest.version}, not ${version}`);
    if (options.digest !== undefined && options.digest !== digest)
      throw new CommandFailure(`${what} holds a bundle with the digest ${digest}, not ${options.digest}`);
    if (options.signedBy === undefined) return;
    const key = parseVerifyKey(await readText(options.signedBy));
    if (verifySignatures(bundle, [key]).length === 0)
      throw new CommandFailure(`${what} holds a bundle that ${key.keyid} (${options.signedBy}) has not signed`);
  } catch (error) {
    if (error instanceof BundleError) throw new CommandFailure(`${what} holds no sound bundle: ${error.reason}`);
    throw error;
  }
}
