import type { webcrypto } from 'node:crypto';
import type { KeyData, SubtleOp, TaskValue } from '../border.ts';

/** Work of one task is bounded, because all plugins of an engine share the process's few crypto threads. */
const MAX_PBKDF2_ITERATIONS = 10_000_000;
const MAX_RSA_BITS = 8192;

type Algorithm = Record<string, unknown>;
type Args = readonly unknown[];

export interface Subtle {
  run(op: SubtleOp, args: Args): Promise<TaskValue>;
  drop(key: number): void;
  dispose(): void;
}

/** WebCrypto with the keys kept out here: the guest half holds numbers for them. */
export function makeSubtle(): Subtle {
  const keys = new Map<number, CryptoKey>();
  const { subtle } = crypto;
  let last = 0;

  function keep(key: CryptoKey): KeyData {
    const id = ++last;
    keys.set(id, key);
    return Object.freeze({
      id,
      type: key.type,
      extractable: key.extractable,
      usages: Object.freeze([...key.usages]),
      algorithm: plainAlgorithm(key.algorithm),
    });
  }

  function keyOf(id: unknown): CryptoKey {
    const key = keys.get(id as number);
    if (key === undefined) throw new TypeError('not a CryptoKey of this connector');
    return key;
  }

  /** Where an algorithm names a key (`public` of ECDH), the number is replaced by the key. */
  function algorithmOf(value: unknown): Algorithm {
    const algorithm: Algorithm = { ...(value as Algorithm) };
    if (Number(algorithm.iterations) > MAX_PBKDF2_ITERATIONS) {
      throw new DOMException(`more than ${MAX_PBKDF2_ITERATIONS} iterations`, 'OperationError');
    }
    if (Number(algorithm.modulusLength) > MAX_RSA_BITS) {
      throw new DOMException(`a modulus of more than ${MAX_RSA_BITS} bits`, 'OperationError');
    }
    if (algorithm.public !== undefined) algorithm.public = keyOf(algorithm.public);
    return algorithm;
  }

  const operations: Readonly<Record<SubtleOp, (args: Args) => Promise<TaskValue>>> = {
    async digest([algorithm, data]) {
      return new Uint8Array(await subtle.digest(algorithmOf(algorithm) as never, data as never));
    },
    async sign([algorithm, key, data]) {
      return new Uint8Array(await subtle.sign(algorithmOf(algorithm) as never, keyOf(key), data as never));
    },
    async verify([algorithm, key, signature, data]) {
      return await subtle.verify(algorithmOf(algorithm) as never, keyOf(key), signature as never, data as never);
    },
    async encrypt([algorithm, key, data]) {
      return new Uint8Array(await subtle.encrypt(algorithmOf(algorithm) as never, keyOf(key), data as never));
    },
    async decrypt([algorithm, key, data]) {
      return new Uint8Array(await subtle.decrypt(algorithmOf(algorithm) as never, keyOf(key), data as never));
    },
    async importKey([format, data, algorithm, extractable, usages]) {
      const material = format === 'jwk' ? JSON.parse(data as string) : data;
      return keep(
        await subtle.importKey(
          format as never,
          material as never,
          algorithmOf(algorithm) as never,
          extractable === true,
          usages as never,
        ),
      );
    },
    async exportKey([format, key]) {
      const exported: unknown = await subtle.exportKey(format as never, keyOf(key));
      return format === 'jwk' ? JSON.stringify(exported) : new Uint8Array(exported as ArrayBuffer);
    },
    async generateKey([algorithm, extractable, usages]) {
      const made: webcrypto.CryptoKey | webcrypto.CryptoKeyPair = await subtle.generateKey(
        algorithmOf(algorithm) as never,
        extractable === true,
        usages as never,
      );
      return 'privateKey' in made ? Object.freeze([keep(made.publicKey), keep(made.privateKey)] as const) : keep(made);
    },
    async deriveBits([algorithm, key, length]) {
      return new Uint8Array(await subtle.deriveBits(algorithmOf(algorithm) as never, keyOf(key), length as never));
    },
    async deriveKey([algorithm, key, derived, extractable, usages]) {
      return keep(
        await subtle.deriveKey(
          algorithmOf(algorithm) as never,
          keyOf(key),
          algorithmOf(derived) as never,
          extractable === true,
          usages as never,
        ),
      );
    },
    async wrapKey([format, key, wrapping, algorithm]) {
      return new Uint8Array(
        await subtle.wrapKey(format as never, keyOf(key), keyOf(wrapping), algorithmOf(algorithm) as never),
      );
    },
    async unwrapKey([format, data, unwrapping, algorithm, unwrapped, extractable, usages]) {
      return keep(
        await subtle.unwrapKey(
          format as never,
          data as never,
          keyOf(unwrapping),
          algorithmOf(algorithm) as never,
          algorithmOf(unwrapped) as never,
          extractable === true,
          usages as never,
        ),
      );
    },
  };

  return {
    run: (op, args) => operations[op](args),
    drop: (key) => void keys.delete(key),
    dispose: () => keys.clear(),
  };
}

/** A key's algorithm as plain data: names, numbers and the public exponent. */
function plainAlgorithm(algorithm: object): Readonly<Record<string, unknown>> {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(algorithm)) {
    if (typeof value === 'string' || typeof value === 'number') plain[name] = value;
    else if (value instanceof Uint8Array) plain[name] = new Uint8Array(value);
    else if (value !== null && typeof value === 'object') plain[name] = plainAlgorithm(value);
  }
  return Object.freeze(plain);
}
