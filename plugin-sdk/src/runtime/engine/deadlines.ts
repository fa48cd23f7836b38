/** Width of a bucket: how much later than asked a deadline may be seen, in milliseconds. */
const BUCKET_MS = 2;
/** A timer of Node holds at most 2^31 - 1 ms; a later deadline is looked at again then. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Deadlines of many calls on one timer: adding and removing cost a lookup each, whatever the number. Times are
 * `performance.now()`, so that a change of the wall clock moves none.
 */
export class Deadlines<T> {
  readonly #buckets = new Map<number, Set<T>>();
  /** Bucket numbers as a binary heap, least first. */
  readonly #heap: number[] = [];
  readonly #expire: (item: T) => void;
  #timer: NodeJS.Timeout | null = null;
  #timerBucket = Infinity;

  constructor(expire: (item: T) => void) {
    this.#expire = expire;
  }

  /** Calls `expire(item)` at `at`, or up to 2 ms later. Returns the handle to remove it with. */
  add(at: number, item: T): number {
    const number = Math.ceil(at / BUCKET_MS);
    const bucket = this.#buckets.get(number);
    if (bucket === undefined) {
      this.#buckets.set(number, new Set([item]));
      this.#push(number);
      if (number < this.#timerBucket) this.#arm(number);
    } else {
      bucket.add(item);
    }
    return number;
  }

  remove(handle: number, item: T): void {
    this.#buckets.get(handle)?.delete(item);
  }

  /** Forgets everything. */
  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerBucket = Infinity;
    this.#buckets.clear();
    this.#heap.length = 0;
  }

  #arm(number: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerBucket = number;
    const ms = Math.max(0, number * BUCKET_MS - performance.now());
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.ceil(ms), LONGEST_TIMER_MS));
  }

  #fire(): void {
    this.#timer = null;
    this.#timerBucket = Infinity;
    const now = performance.now();
    for (;;) {
      const [number] = this.#heap;
      if (number === undefined) return;
      const bucket = this.#buckets.get(number);
      if (number * BUCKET_MS > now && bucket !== undefined && bucket.size > 0) return this.#arm(number);
      this.#pop();
      this.#buckets.delete(number);
      for (const item of bucket ?? []) this.#expire(item);
    }
  }

  #push(number: number): void {
    const heap = this.#heap;
    let at = heap.push(number) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]! <= number) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = number;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child += 1;
      if (heap[child]! >= last) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
