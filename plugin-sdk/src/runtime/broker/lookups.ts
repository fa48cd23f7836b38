/** Gives the addresses of a name, as text. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** On whose behalf a name is looked up. */
export interface Asker {
  /** A tenant, say. */
  readonly owner: string;
  /** Why nobody wants the answer any more. */
  readonly closed: Error | null;
}

export const NOBODY: Asker = { owner: '', closed: null };

/** Look-ups of one owner at a time. The system's resolver has few threads, and a name server that does not answer holds one for many seconds. */
const MAX_AT_ONCE = 2;

/**
 * Shares the resolver out among owners: whoever asks for names that never resolve waits for its own look-ups, and holds up nobody else's. The same name is asked for
 * once while its answer is awaited.
 */
export class Lookups {
  readonly #resolve: Resolve;
  readonly #running = new Map<string, number>();
  readonly #waiting = new Map<string, Array<() => void>>();
  readonly #asked = new Map<string, Promise<readonly string[]>>();

  constructor(resolve: Resolve) {
    this.#resolve = resolve;
  }

  /** The addresses of `host`. Rejects when the resolver does, or when its turn comes after the asker has gone. */
  async addresses(host: string, asker: Asker): Promise<readonly string[]> {
    const known = this.#asked.get(host);
    if (known !== undefined) return await known;
    const { owner } = asker;
    await this.#turn(owner);
    try {
      if (asker.closed !== null) throw asker.closed;
      const asked = this.#asked.get(host) ?? this.#ask(host);
      return await asked;
    } finally {
      this.#next(owner);
    }
  }

  #ask(host: string): Promise<readonly string[]> {
    const asked = this.#resolve(host).finally(() => this.#asked.delete(host));
    this.#asked.set(host, asked);
    return asked;
  }

  #turn(owner: string): Promise<void> {
    const running = this.#running.get(owner) ?? 0;
    if (running < MAX_AT_ONCE) {
      this.#running.set(owner, running + 1);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(owner);
      if (waiting === undefined) this.#waiting.set(owner, [resolve]);
      else waiting.push(resolve);
    });
  }

  /** Hands the place on, or gives it back. */
  #next(owner: string): void {
    const waiting = this.#waiting.get(owner);
    const next = waiting?.shift();
    if (next !== undefined) return next();
    this.#waiting.delete(owner);
    const running = (this.#running.get(owner) ?? 1) - 1;
    if (running === 0) this.#running.delete(owner);
    else this.#running.set(owner, running);
  }
}
