import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto';
import { bundleDigest } from './bundle.ts';
import type { JsonObject } from './json.ts';
import type { Bundle } from './manifest.ts';

/** Signatures of bundles: Ed25519 over the bundle's digest. Key files say in their first line what they are. */

/** Signed with the digest, so that a signature made for something else never fits a bundle. */
const DOMAIN = 'goflow-bundle-signature/1\n';
const SECRET_HEADER = '# GoFlow secret signing key (Ed25519). Whoever has it can sign in your name.';
const PUBLIC_HEADER = '# GoFlow public signing key (Ed25519). Give it to those who verify your bundles.';

export interface VerifyKey {
  /** Names the key: `ed25519-` and 32 hex digits of the SHA-256 of its public part. */
  readonly keyid: string;
  readonly key: KeyObject;
}

export interface SigningKey extends VerifyKey {
  readonly secret: KeyObject;
}

/** What is wrong with the text of a key file. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/** Makes a key pair, as the texts of its two files. */
export function generateSigningKey(): {
  readonly keyid: string;
  readonly secretText: string;
  readonly publicText: string;
} {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const keyid = keyIdOf(publicKey);
  const secretPem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' });
  return {
    keyid,
    secretText: `${SECRET_HEADER}\n# keyid: ${keyid}\n${secretPem}`,
    publicText: `${PUBLIC_HEADER}\n# keyid: ${keyid}\n${publicPem}`,
  };
}

/** Reads the text of a secret key file. */
export function parseSigningKey(text: string): SigningKey {
  if (text.includes('BEGIN PUBLIC KEY')) throw new KeyFileError('is a public key; signing takes the secret one');
  const secret = readPem(text, 'PRIVATE KEY', createPrivateKey);
  const key = createPublicKey(secret);
  return { keyid: keyIdOf(key), key, secret };
}

/** Reads the text of a public key file. */
export function parseVerifyKey(text: string): VerifyKey {
  if (text.includes('PRIVATE KEY'))
    throw new KeyFileError('is a secret key; give the public one (FILE.pub) to those who verify');
  const key = readPem(text, 'PUBLIC KEY', createPublicKey);
  return { keyid: keyIdOf(key), key };
}

/** The bundle with a signature by this key; an earlier one by the same key is replaced. */
export function signBundle(bundle: Bundle, key: SigningKey): Bundle {
  const signature: JsonObject = {
    keyid: key.keyid,
    alg: 'ed25519',
    sig: signBytes(null, signedBytes(bundle), key.secret).toString('base64'),
  };
  return { ...bundle, signatures: [...bundle.signatures.filter((other) => other['keyid'] !== key.keyid), signature] };
}

/**
 * Ids of the trusted keys whose signature on this bundle is good, each once. A signature by another key, of another algorithm or
 * with broken text counts for nothing.
 */
export function verifySignatures(bundle: Bundle, trusted: readonly VerifyKey[]): string[] {
  const bytes = signedBytes(bundle);
  const good = trusted.filter(({ keyid, key }) =>
    bundle.signatures.some(
      (entry) =>
        entry['keyid'] === keyid &&
        entry['alg'] === 'ed25519' &&
        typeof entry['sig'] === 'string' &&
        verifyBytes(null, bytes, key, Buffer.from(entry['sig'], 'base64')),
    ),
  );
  return [...new Set(good.map(({ keyid }) => keyid))];
}

function signedBytes(bundle: Bundle): Uint8Array {
  return new TextEncoder().encode(DOMAIN + bundleDigest(bundle));
}

function keyIdOf(key: KeyObject): string {
  const bytes = key.export({ type: 'spki', format: 'der' });
  return `ed25519-${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}`;
}

function readPem(text: string, label: string, create: (pem: string) => KeyObject): KeyObject {
  const pem = new RegExp(`-----BEGIN ${label}-----[\\s\\S]+?-----END ${label}-----`).exec(text)?.[0];
  if (pem === undefined) throw new KeyFileError('is no key file of goflow-plugin keygen');
  let key: KeyObject;
  try {
    key = create(pem);
  } catch {
    throw new KeyFileError('is damaged');
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new KeyFileError(`is a key for ${key.asymmetricKeyType}; Ed25519 is needed`);
  return key;
}
