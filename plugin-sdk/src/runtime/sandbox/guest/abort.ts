import { DOMException } from './dom-exception.ts';
import { Event, EventTarget, dispatchTrusted, handlerProperty } from './events.ts';
import { setTimeout } from './timers.ts';

/** Only our own code makes and fires signals. */
const FROM_PLATFORM = {};
let fire: (signal: AbortSignal, reason: unknown) => void;

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown;
  readonly #followers = new Set<AbortSignal>();
  readonly #handler = handlerProperty(this, 'abort');

  static {
    fire = (signal, reason) => {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? new DOMException('the operation was aborted', 'AbortError') : reason;
      dispatchTrusted(signal, new Event('abort'));
      for (const follower of signal.#followers) fire(follower, signal.#reason);
      signal.#followers.clear();
    };
  }

  constructor(token?: unknown) {
    if (token !== FROM_PLATFORM) throw new TypeError('AbortSignal cannot be constructed: use AbortController');
    super();
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = makeSignal();
    fire(signal, reason);
    return signal;
  }

  static timeout(ms: number): AbortSignal {
    const signal = makeSignal();
    setTimeout(() => fire(signal, new DOMException('the time ran out', 'TimeoutError')), ms);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const all = [...signals];
    const joined = makeSignal();
    const fired = all.find((signal) => signal.aborted);
    if (fired !== undefined) fire(joined, fired.reason);
    else for (const signal of all) signal.#followers.add(joined);
    return joined;
  }

  get aborted(): boolean {
    return this.#aborted;
  }
  get reason(): unknown {
    return this.#reason;
  }
  get onabort(): unknown {
    return this.#handler.get();
  }
  set onabort(value: unknown) {
    this.#handler.set(value);
  }
  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }
  override get [Symbol.toStringTag](): string {
    return 'AbortSignal';
  }
}

export class AbortController {
  readonly #signal = makeSignal();
  get signal(): AbortSignal {
    return this.#signal;
  }
  abort(reason?: unknown): void {
    fire(this.#signal, reason);
  }
  get [Symbol.toStringTag](): string {
    return 'AbortController';
  }
}

export function makeSignal(): AbortSignal {
  return new AbortSignal(FROM_PLATFORM);
}

export function fireSignal(signal: AbortSignal, reason: unknown): void {
  fire(signal, reason);
}

/** Rejects with the signal's reason when that fires before `work` settles. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal | null): Promise<T> {
  if (signal === null) return await work;
  signal.throwIfAborted();
  const { promise: fired, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, fired]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
