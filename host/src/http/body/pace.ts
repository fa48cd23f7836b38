/** A body that is on its way. */
export interface Arrival {
  /** Bytes so far. */
  readonly size: number;
  /** It comes too slowly: gives it up. */
  readonly giveUp: () => void;
}

/** Times in milliseconds. */
export interface PaceLimits {
  /** How long a body may take at any pace. */
  readonly graceMs: number;
  /** What it must come to in all, from its beginning. */
  readonly bytesPerSecond: number;
  readonly checkMs: number;
}

const LIMITS: PaceLimits = { graceMs: 5000, bytesPerSecond: 500, checkMs: 500 };

/**
 * Gives up bodies that dribble: each would hold a connection and what it has sent so far for as long as the whole request may take. One timer for all of
 * them, which runs only while there are any.
 */
export class Pace {
  readonly #limits: PaceLimits;
  readonly #arrivals = new Map<Arrival, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(limits: PaceLimits = LIMITS) {
    this.#limits = limits;
  }

  watch(arrival: Arrival): void {
    this.#arrivals.set(arrival, performance.now());
    this.#timer ??= setInterval(() => this.#look(), this.#limits.checkMs).unref();
  }

  forget(arrival: Arrival): void {
    this.#arrivals.delete(arrival);
  }

  #look(): void {
    const { graceMs, bytesPerSecond } = this.#limits;
    const now = performance.now();
    for (const [arrival, since] of this.#arrivals) {
      const elapsed = now - since;
      // They are in the order of their beginnings.
      if (elapsed < graceMs) break;
      if (arrival.size >= (elapsed / 1000) * bytesPerSecond) continue;
      this.#arrivals.delete(arrival);
      arrival.giveUp();
    }
    if (this.#arrivals.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
