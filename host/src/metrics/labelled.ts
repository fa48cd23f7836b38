import { labelText, type MetricSample } from './family.ts';

/** What plugins and actions beyond the limit are counted under. */
export const OTHER = 'other';

/**
 * Values by one or two labels, made at their first use. Labels come from plugins and connectors, so their number is bounded: beyond `limit`
 * everything is counted under `other`.
 */
export class Labelled<T> {
  readonly #limit: number;
  readonly #make: (first: string, second: string) => T;
  readonly #values = new Map<string, Map<string, T>>();
  #size = 0;

  constructor(limit: number, make: (first: string, second: string) => T) {
    this.#limit = limit;
    this.#make = make;
  }

  get(first: string, second = ''): T {
    const known = this.#values.get(first)?.get(second);
    if (known !== undefined) return known;
    return this.#size < this.#limit ? this.#add(first, second) : this.#add(OTHER, second === '' ? '' : OTHER);
  }

  *values(): Iterable<T> {
    for (const bySecond of this.#values.values()) yield* bySecond.values();
  }

  #add(first: string, second: string): T {
    let bySecond = this.#values.get(first);
    if (bySecond === undefined) this.#values.set(first, (bySecond = new Map()));
    let value = bySecond.get(second);
    if (value === undefined) {
      bySecond.set(second, (value = this.#make(first, second)));
      this.#size += 1;
    }
    return value;
  }
}

/** A number that only grows, by the values of one label out of a small fixed set. */
export class CounterBy {
  readonly #label: string;
  readonly #fixed: Readonly<Record<string, string>>;
  readonly #counts = new Map<string, { value: number; readonly text: string }>();

  constructor(label: string, fixed: Readonly<Record<string, string>> = {}) {
    this.#label = label;
    this.#fixed = fixed;
  }

  add(value: string, by = 1): void {
    const known = this.#counts.get(value);
    if (known !== undefined) known.value += by;
    else this.#counts.set(value, { value: by, text: labelText({ ...this.#fixed, [this.#label]: value }) });
  }

  samples(): MetricSample[] {
    return Array.from(this.#counts.values(), ({ value, text }) => ({ labels: text, value }));
  }
}
