import { labelText, type Labels, type MetricSample } from './family.ts';

/** Upper bounds in seconds, for what a person or a program waits for. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;
/** Coarser, for what there are thousands of: each bound is one more line for each of them. */
export const COARSE_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30] as const;

/** Counts values into fixed buckets: an observation is a short search and three additions, and makes no garbage. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** Not cumulative; the last is for what is above every bound. */
  readonly #buckets: Float64Array;
  readonly #labels: Labels;
  /** Written when first shown. */
  #texts: readonly string[] | null = null;
  #count = 0;
  #sum = 0;

  constructor(bounds: readonly number[], labels: Labels = {}) {
    this.#bounds = bounds;
    this.#buckets = new Float64Array(bounds.length + 1);
    this.#labels = labels;
  }

  get count(): number {
    return this.#count;
  }

  observe(value: number): void {
    let i = 0;
    while (i < this.#bounds.length && value > (this.#bounds[i] as number)) i++;
    this.#buckets[i] = (this.#buckets[i] as number) + 1;
    this.#sum += value;
    this.#count += 1;
  }

  /** Nothing until something was observed. */
  samples(): MetricSample[] {
    if (this.#count === 0) return [];
    const texts = (this.#texts ??= this.#write());
    const samples: MetricSample[] = [];
    let cumulative = 0;
    for (const [i, value] of this.#buckets.entries()) {
      cumulative += value;
      samples.push({ suffix: '_bucket', labels: texts[i] as string, value: cumulative });
    }
    const own = texts.at(-1) as string;
    samples.push(
      { suffix: '_sum', labels: own, value: this.#sum },
      { suffix: '_count', labels: own, value: this.#count },
    );
    return samples;
  }

  /** The label text of each bucket, then that of the whole. */
  #write(): readonly string[] {
    const les = [...this.#bounds.map(String), '+Inf'];
    return [...les.map((le) => labelText({ ...this.#labels, le })), labelText(this.#labels)];
  }
}
