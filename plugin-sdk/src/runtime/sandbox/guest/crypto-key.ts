import type { KeyData } from '../border.ts';
import { outer } from './outer.ts';

/** Made by our own code only. */
const FROM_PLATFORM = {};

/** Lets the outer realm drop a key that nobody holds any more. */
const forgotten = new FinalizationRegistry<number>((id) => outer.dropKey(id));

/** The outer realm's number of a key. Throws a TypeError for what is not a CryptoKey. */
export let keyId: (key: unknown) => number;

/** Stands for a key whose material never enters the compartment, unless it is exported. */
export class CryptoKey {
  readonly #data: KeyData;

  static {
    keyId = (key) => {
      if (key === null || typeof key !== 'object' || !(#data in key)) throw new TypeError('expected a CryptoKey');
      return key.#data.id;
    };
  }

  constructor(token: unknown, data: KeyData) {
    if (token !== FROM_PLATFORM) throw new TypeError('CryptoKey cannot be constructed: use crypto.subtle');
    this.#data = data;
    forgotten.register(this, data.id);
  }
  get type(): string {
    return this.#data.type;
  }
  get extractable(): boolean {
    return this.#data.extractable;
  }
  get usages(): readonly string[] {
    return this.#data.usages;
  }
  get algorithm(): Readonly<Record<string, unknown>> {
    return this.#data.algorithm;
  }
  get [Symbol.toStringTag](): string {
    return 'CryptoKey';
  }
}

export function makeKey(data: KeyData): CryptoKey {
  return new CryptoKey(FROM_PLATFORM, data);
}
