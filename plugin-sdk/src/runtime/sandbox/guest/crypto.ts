import { DOMException } from './dom-exception.ts';
import { isView, viewBytes } from './bytes.ts';
import { outer } from './outer.ts';
import { SubtleCrypto } from './subtle.ts';

const MAX_RANDOM_BYTES = 65_536;
const FLOATS: readonly string[] = ['Float16Array', 'Float32Array', 'Float64Array', 'DataView'];

/** Made by our own code only. */
const FROM_PLATFORM = {};

export class Crypto {
  readonly #subtle = new SubtleCrypto();
  constructor(token?: unknown) {
    if (token !== FROM_PLATFORM) throw new TypeError('Crypto cannot be constructed: use the global "crypto"');
  }
  get subtle(): SubtleCrypto {
    return this.#subtle;
  }
  getRandomValues<T>(array: T): T {
    if (!isView(array) || FLOATS.includes(Object.prototype.toString.call(array).slice(8, -1))) {
      throw new DOMException('getRandomValues takes an integer typed array', 'TypeMismatchError');
    }
    const bytes = viewBytes(array);
    if (bytes.byteLength > MAX_RANDOM_BYTES) {
      throw new DOMException(`at most ${MAX_RANDOM_BYTES} random bytes at once`, 'QuotaExceededError');
    }
    bytes.set(outer.randomBytes(bytes.byteLength));
    return array;
  }
  randomUUID(): string {
    return outer.randomUuid();
  }
  get [Symbol.toStringTag](): string {
    return 'Crypto';
  }
}

export function makeCrypto(): Crypto {
  return new Crypto(FROM_PLATFORM);
}
