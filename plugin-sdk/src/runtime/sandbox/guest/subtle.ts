import type { KeyData, SubtleOp, TaskValue } from '../border.ts';
import { copyBytes, isBufferSource } from './bytes.ts';
import { type CryptoKey, keyId, makeKey } from './crypto-key.ts';
import { runTask } from './tasks.ts';
import { textOf } from './text.ts';

type Algorithm = Readonly<Record<string, unknown>>;

const BYTES = ['iv', 'additionalData', 'counter', 'salt', 'info', 'label', 'publicExponent', 'context'] as const;
const NUMBERS = ['length', 'modulusLength', 'tagLength', 'iterations', 'saltLength'] as const;

/** WebCrypto: algorithms and data are copied as plain data, the work is done in the outer realm. */
export class SubtleCrypto {
  async digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> {
    return await bytes('digest', [readAlgorithm(algorithm), copyBytes(data)]);
  }
  async sign(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
    return await bytes('sign', [readAlgorithm(algorithm), keyId(key), copyBytes(data)]);
  }
  async verify(algorithm: unknown, key: unknown, signature: unknown, data: unknown): Promise<boolean> {
    const args = [readAlgorithm(algorithm), keyId(key), copyBytes(signature), copyBytes(data)];
    return (await runTask('verify', args)) as boolean;
  }
  async encrypt(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
    return await bytes('encrypt', [readAlgorithm(algorithm), keyId(key), copyBytes(data)]);
  }
  async decrypt(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
    return await bytes('decrypt', [readAlgorithm(algorithm), keyId(key), copyBytes(data)]);
  }
  async importKey(
    format: unknown,
    data: unknown,
    algorithm: unknown,
    extractable: unknown,
    usages: unknown,
  ): Promise<CryptoKey> {
    const material = isBufferSource(data) ? copyBytes(data) : JSON.stringify(data);
    const args = [String(format), material, readAlgorithm(algorithm), !!extractable, readUsages(usages)];
    return makeKey((await runTask('importKey', args)) as KeyData);
  }
  async exportKey(format: unknown, key: unknown): Promise<unknown> {
    const exported = await runTask('exportKey', [String(format), keyId(key)]);
    return typeof exported === 'string' ? JSON.parse(exported) : (exported as Uint8Array).buffer;
  }
  async generateKey(algorithm: unknown, extractable: unknown, usages: unknown): Promise<unknown> {
    const made: TaskValue = await runTask('generateKey', [readAlgorithm(algorithm), !!extractable, readUsages(usages)]);
    if (!Array.isArray(made)) return makeKey(made as KeyData);
    const [publicKey, privateKey] = made as [KeyData, KeyData];
    return { publicKey: makeKey(publicKey), privateKey: makeKey(privateKey) };
  }
  async deriveBits(algorithm: unknown, key: unknown, length: unknown = null): Promise<ArrayBuffer> {
    return await bytes('deriveBits', [readAlgorithm(algorithm), keyId(key), length === null ? null : Number(length)]);
  }
  async deriveKey(
    algorithm: unknown,
    key: unknown,
    derived: unknown,
    extractable: unknown,
    usages: unknown,
  ): Promise<CryptoKey> {
    const args = [readAlgorithm(algorithm), keyId(key), readAlgorithm(derived), !!extractable, readUsages(usages)];
    return makeKey((await runTask('deriveKey', args)) as KeyData);
  }
  async wrapKey(format: unknown, key: unknown, wrapping: unknown, algorithm: unknown): Promise<ArrayBuffer> {
    return await bytes('wrapKey', [String(format), keyId(key), keyId(wrapping), readAlgorithm(algorithm)]);
  }
  async unwrapKey(
    format: unknown,
    data: unknown,
    unwrapping: unknown,
    algorithm: unknown,
    unwrapped: unknown,
    extractable: unknown,
    usages: unknown,
  ): Promise<CryptoKey> {
    const args = [
      String(format),
      copyBytes(data),
      keyId(unwrapping),
      readAlgorithm(algorithm),
      readAlgorithm(unwrapped),
      !!extractable,
      readUsages(usages),
    ];
    return makeKey((await runTask('unwrapKey', args)) as KeyData);
  }
  get [Symbol.toStringTag](): string {
    return 'SubtleCrypto';
  }
}

async function bytes(op: SubtleOp, args: readonly unknown[]): Promise<ArrayBuffer> {
  return ((await runTask(op, args)) as Uint8Array<ArrayBuffer>).buffer;
}

/** The members that WebCrypto knows, as plain data; a key (ECDH's `public`) as its number. */
function readAlgorithm(algorithm: unknown): Algorithm {
  if (algorithm === null || typeof algorithm !== 'object') return Object.freeze({ name: String(algorithm) });
  const given = algorithm as Record<string, unknown>;
  const plain: Record<string, unknown> = { name: String(given.name) };
  const { hash, namedCurve, public: publicKey } = given;
  if (hash !== undefined) plain.hash = readAlgorithm(hash);
  if (namedCurve !== undefined) plain.namedCurve = textOf(namedCurve);
  if (publicKey !== undefined) plain.public = keyId(publicKey);
  for (const name of NUMBERS) {
    const value = given[name];
    if (value !== undefined) plain[name] = Number(value);
  }
  for (const name of BYTES) {
    const value = given[name];
    if (value !== undefined) plain[name] = copyBytes(value);
  }
  return Object.freeze(plain);
}

function readUsages(usages: unknown): readonly string[] {
  return Object.freeze([...(usages as Iterable<unknown>)].map((usage) => String(usage)));
}
