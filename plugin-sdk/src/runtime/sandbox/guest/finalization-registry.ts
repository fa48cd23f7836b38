/**
 * The connector's `FinalizationRegistry`. Its callbacks never come, which the standard allows: the collector would call them at any time, also when no call of
 * theirs is there that could be ended for what they do.
 */
export class FinalizationRegistry {
  constructor(callback: unknown) {
    if (typeof callback !== 'function') throw new TypeError('FinalizationRegistry: the callback must be a function');
  }

  register(target: unknown): void {
    const isWeak = (typeof target === 'object' && target !== null) || typeof target === 'function';
    if (!isWeak && typeof target !== 'symbol')
      throw new TypeError('FinalizationRegistry: the target must be an object');
  }

  unregister(): boolean {
    return false;
  }

  get [Symbol.toStringTag](): string {
    return 'FinalizationRegistry';
  }
}
