import { type Bundle, BundleError, effectiveLimits, parseBundle, PLUGIN_NAME } from '@goflow/plugin-sdk/contract';
import { messageOf } from '../core/errors.ts';
import type { BundleMemory } from './bundle-memory.ts';
import type { Trust } from './trust.ts';
import type { LoadedPlugin } from './types.ts';

/** A bundle whose format, digests, manifest and schemas are sound. */
export type Verified =
  | { readonly ok: true; readonly bundle: Bundle; readonly digest: string }
  | {
      readonly ok: false;
      /** What the file says of itself, where that can be read. */
      readonly name: string | null;
      readonly version: string | null;
      readonly reason: string;
    };

/** Reads a bundle file without running anything of it. Never throws. Bytes that were found sound before are not checked again. */
export function verifyBundle(bytes: Uint8Array, memory: Pick<BundleMemory, 'soundDigest' | 'rememberSound'>): Verified {
  try {
    const known = memory.soundDigest(bytes);
    if (known !== undefined) {
      return { ok: true, bundle: JSON.parse(new TextDecoder().decode(bytes)) as Bundle, digest: known };
    }
    const { bundle, digest } = parseBundle(bytes);
    memory.rememberSound(bytes, digest);
    return { ok: true, bundle, digest };
  } catch (error) {
    const reason = error instanceof BundleError ? error.reason : `cannot be read as a bundle: ${messageOf(error)}`;
    return { ok: false, ...namesOf(bytes), reason };
  }
}

/** What a run holds on to: the code and the manifest; source map and texts stay in the file. */
export function toLoadedPlugin(
  verified: { readonly bundle: Bundle; readonly digest: string },
  tenantId: string | null,
  firstPartyDigests: ReadonlySet<string>,
  trust: Pick<Trust, 'signersOf'>,
): LoadedPlugin {
  const { manifest, files } = verified.bundle;
  return {
    manifest,
    digest: verified.digest,
    tenantId,
    firstParty: tenantId === null && firstPartyDigests.has(verified.digest),
    bundle: {
      digest: verified.digest,
      name: manifest.name,
      version: manifest.version,
      code: files['plugin.js'],
      limits: effectiveLimits(manifest),
    },
    signers: trust.signersOf(verified.bundle),
  };
}

/** Name and version of a refused file, for the list; null where they are not what they should be. */
function namesOf(bytes: Uint8Array): { readonly name: string | null; readonly version: string | null } {
  try {
    const manifest: unknown = (JSON.parse(new TextDecoder().decode(bytes)) as { manifest?: unknown }).manifest;
    const { name, version } = manifest as { name?: unknown; version?: unknown };
    return {
      name: typeof name === 'string' && PLUGIN_NAME.test(name) ? name : null,
      version: typeof version === 'string' && /^\d[0-9A-Za-z.+-]{0,99}$/.test(version) ? version : null,
    };
  } catch {
    return { name: null, version: null };
  }
}
