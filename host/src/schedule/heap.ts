/** What waits for a moment. An entry that was changed or removed stays in the heap until its time and is passed over then. */
export interface Waiting<T> {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly value: T;
}

/** Binary min-heap by time: with ten thousand entries, adding or taking one is a dozen comparisons. */
export class TimeHeap<T> {
  readonly #items: Waiting<T>[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** When the first is due; null when there is none. */
  get first(): number | null {
    return this.#items[0]?.at ?? null;
  }

  add(at: number, value: T): void {
    const items = this.#items;
    const item = { at, value };
    let i = items.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((items[parent] as Waiting<T>).at <= at) break;
      items[i] = items[parent] as Waiting<T>;
      i = parent;
    }
    items[i] = item;
  }

  /** Takes the first if it is due at `now`. */
  takeDue(now: number): Waiting<T> | null {
    const items = this.#items;
    const top = items[0];
    if (top === undefined || top.at > now) return null;
    const last = items.pop() as Waiting<T>;
    if (items.length > 0) this.#sink(last);
    return top;
  }

  #sink(item: Waiting<T>): void {
    const items = this.#items;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= items.length) break;
      const right = items[child + 1];
      if (right !== undefined && right.at < (items[child] as Waiting<T>).at) child += 1;
      if ((items[child] as Waiting<T>).at >= item.at) break;
      items[i] = items[child] as Waiting<T>;
      i = child;
    }
    items[i] = item;
  }
}
