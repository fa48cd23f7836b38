import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

/**
 * AES-256-GCM under a key of each message's own: HMAC-SHA-256 of 16 random bytes under the long-lived key. Random nonces under one key would
 * wear out after 2^32 messages, which a busy tenant's secret parameters reach within days.
 *
 * Bytes: version (1), salt (16), nonce (12), tag (16), ciphertext.
 */
const VERSION = 1;
const SALT = 16;
const NONCE = 12;
const TAG = 16;
const HEAD = 1 + SALT + NONCE + TAG;

export const KEY_BYTES = 32;

/** `bound` is authenticated, not stored: opening needs the same. */
export function encrypt(key: Uint8Array, plaintext: Uint8Array | string, bound: string): Uint8Array {
  const random = randomBytes(SALT + NONCE);
  const salt = random.subarray(0, SALT);
  const nonce = random.subarray(SALT);
  const cipher = createCipheriv('aes-256-gcm', messageKey(key, salt), nonce, { authTagLength: TAG });
  cipher.setAAD(Buffer.from(bound));
  const body = typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext);
  const end = cipher.final();
  const sealed = new Uint8Array(HEAD + body.length + end.length);
  sealed[0] = VERSION;
  sealed.set(random, 1);
  sealed.set(cipher.getAuthTag(), 1 + SALT + NONCE);
  sealed.set(body, HEAD);
  sealed.set(end, HEAD + body.length);
  return sealed;
}

/** Null where anything differs from what was sealed: bytes, key or `bound`. */
export function decrypt(key: Uint8Array, sealed: Uint8Array, bound: string): Buffer | null {
  if (sealed.length < HEAD || sealed[0] !== VERSION) return null;
  const salt = sealed.subarray(1, 1 + SALT);
  const nonce = sealed.subarray(1 + SALT, 1 + SALT + NONCE);
  const decipher = createDecipheriv('aes-256-gcm', messageKey(key, salt), nonce, { authTagLength: TAG });
  decipher.setAAD(Buffer.from(bound));
  decipher.setAuthTag(sealed.subarray(1 + SALT + NONCE, HEAD));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(HEAD)), decipher.final()]);
  } catch {
    return null;
  }
}

function messageKey(key: Uint8Array, salt: Uint8Array): Buffer {
  return createHmac('sha256', key).update('goflow message key\0').update(salt).digest();
}
