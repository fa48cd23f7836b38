import { counter, type MetricFamily } from './family.ts';
import { Histogram, SECONDS } from './histogram.ts';
import { CounterBy } from './labelled.ts';

const FAILURES: ReadonlySet<string> = new Set(['STORE_FULL', 'STORE_UNAVAILABLE', 'INTERNAL']);
const BATCH_SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;

/** What the client of the store tells: each batch that it sent, each operation that was answered. */
export class StoreMeter {
  readonly #sizes = new Histogram(BATCH_SIZES);
  readonly #durations = new Histogram(SECONDS);
  readonly #operations = new CounterBy('operation');
  #failures = 0;

  batchSent(size: number): void {
    this.#sizes.observe(size);
  }

  /** `failure`: its error code. What the store refuses because the request was wrong is no failure of the store. */
  answered(operation: string, durationMs: number, failure: string | undefined): void {
    this.#operations.add(operation);
    this.#durations.observe(durationMs / 1000);
    if (failure !== undefined && FAILURES.has(failure)) this.#failures += 1;
  }

  families(): readonly MetricFamily[] {
    return [
      {
        name: 'goflow_store_batch_size',
        help: 'Operations in one batch: its writes share a commit.',
        type: 'histogram',
        samples: this.#sizes.samples(),
      },
      {
        name: 'goflow_store_operations_total',
        help: 'Operations that the store answered.',
        type: 'counter',
        samples: this.#operations.samples(),
      },
      counter(
        'goflow_store_failures_total',
        'Operations that failed: disk full, database locked, damaged or gone.',
        this.#failures,
      ),
      {
        name: 'goflow_store_operation_duration_seconds',
        help: 'Time from asking the store to its answer, after the commit.',
        type: 'histogram',
        samples: this.#durations.samples(),
      },
    ];
  }
}
