import type { Route } from './route.ts';

/** A metric family in the terms of the Prometheus text format; other rooms hand in theirs. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  /** Added to the family's name: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Counts requests by method, route and status, and their durations by method and route. */
export interface HttpMetrics {
  observe(method: string | undefined, route: Route | null, status: number, durationMs: number): void;
  families(): readonly MetricFamily[];
}

/** Upper bounds in seconds. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

interface Series {
  readonly method: string;
  readonly route: string;
  readonly byStatus: Map<number, number>;
  /** Not cumulative; the last is for what is above every bound. */
  readonly buckets: Float64Array;
  sum: number;
}

export function createHttpMetrics(): HttpMetrics {
  const byRoute = new Map<Route, Series>();
  // One series for everything that matches no route: paths and methods are the client's to choose, so they are no labels.
  const unmatched = newSeries('other', 'none');
  return {
    observe(_method, route, status, durationMs) {
      let series = unmatched;
      if (route !== null) {
        const known = byRoute.get(route);
        series = known ?? newSeries(route.method, route.path);
        if (known === undefined) byRoute.set(route, series);
      }
      const seconds = durationMs / 1000;
      let i = 0;
      while (i < BOUNDS.length && seconds > (BOUNDS[i] as number)) i++;
      series.buckets[i] = (series.buckets[i] as number) + 1;
      series.sum += seconds;
      series.byStatus.set(status, (series.byStatus.get(status) ?? 0) + 1);
    },
    families() {
      const all = [...byRoute.values(), unmatched];
      return [
        {
          name: 'goflow_http_requests_total',
          help: 'Finished HTTP requests.',
          type: 'counter',
          samples: all.flatMap(counts),
        },
        {
          name: 'goflow_http_request_duration_seconds',
          help: 'Time from a request to its last byte.',
          type: 'histogram',
          samples: all.flatMap(histogram),
        },
      ];
    },
  };
}

function newSeries(method: string, route: string): Series {
  return { method, route, byStatus: new Map(), buckets: new Float64Array(BOUNDS.length + 1), sum: 0 };
}

function counts({ method, route, byStatus }: Series): MetricSample[] {
  return [...byStatus].map(([status, value]) => ({ labels: { method, route, status: String(status) }, value }));
}

function histogram({ method, route, buckets, sum }: Series): MetricSample[] {
  const samples: MetricSample[] = [];
  let count = 0;
  for (const [i, value] of buckets.entries()) {
    count += value;
    samples.push({ suffix: '_bucket', labels: { method, route, le: String(BOUNDS[i] ?? '+Inf') }, value: count });
  }
  if (count === 0) return [];
  samples.push(
    { suffix: '_sum', labels: { method, route }, value: sum },
    { suffix: '_count', labels: { method, route }, value: count },
  );
  return samples;
}

/** The process itself; read when asked, so that it costs nothing in between. */
export function processFamilies(): readonly MetricFamily[] {
  const cpu = process.cpuUsage();
  const memory = process.memoryUsage();
  const gauge = (name: string, help: string, value: number): MetricFamily => ({
    name,
    help,
    type: 'gauge',
    samples: [{ value }],
  });
  return [
    {
      name: 'process_cpu_seconds_total',
      help: 'CPU time of the host process.',
      type: 'counter',
      samples: [{ value: (cpu.user + cpu.system) / 1e6 }],
    },
    gauge('process_resident_memory_bytes', 'Resident memory of the host process.', memory.rss),
    gauge(
      'process_start_time_seconds',
      'When the host process started, since the epoch.',
      performance.timeOrigin / 1000,
    ),
    gauge('nodejs_heap_size_used_bytes', 'Used heap of the host process.', memory.heapUsed),
    gauge(
      'nodejs_eventloop_utilization_ratio',
      "Part of the time in which the host's event loop was busy.",
      performance.eventLoopUtilization().utilization,
    ),
  ];
}

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Prometheus text exposition format, version 0.0.4. */
export function renderMetrics(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const { name, help, type, samples } of families) {
    if (samples.length === 0) continue;
    lines.push(`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`);
    for (const sample of samples) lines.push(`${name}${sample.suffix ?? ''}${labelsOf(sample.labels)} ${sample.value}`);
  }
  return `${lines.join('\n')}\n`;
}

function labelsOf(labels: Readonly<Record<string, string>> | undefined): string {
  if (labels === undefined) return '';
  const parts = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}
