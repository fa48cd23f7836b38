import { monitorEventLoopDelay } from 'node:perf_hooks';
import { gauge, type MetricFamily } from './family.ts';

/** Milliseconds between two looks at the clock. */
const RESOLUTION_MS = 20;

/** How late the event loop is, since it was asked last: each scrape sees its own interval. Names as in prom-client's default metrics. */
export function watchEventLoop(): { families(): readonly MetricFamily[]; stop(): void } {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  return {
    families() {
      // What is measured is the time between two looks, of which the pause itself is no delay.
      const late = (ns: number): number => (delay.count === 0 ? 0 : Math.max(0, ns / 1e9 - RESOLUTION_MS / 1000));
      const families = [
        gauge(
          'nodejs_eventloop_lag_mean_seconds',
          'Mean delay of the event loop since the last scrape.',
          late(delay.mean),
        ),
        gauge(
          'nodejs_eventloop_lag_p50_seconds',
          'Median delay of the event loop since the last scrape.',
          late(delay.percentile(50)),
        ),
        gauge(
          'nodejs_eventloop_lag_p99_seconds',
          '99th percentile of the delay of the event loop since the last scrape.',
          late(delay.percentile(99)),
        ),
        gauge(
          'nodejs_eventloop_lag_max_seconds',
          'Longest delay of the event loop since the last scrape.',
          late(delay.max),
        ),
      ];
      delay.reset();
      return families;
    },
    stop: () => void delay.disable(),
  };
}
