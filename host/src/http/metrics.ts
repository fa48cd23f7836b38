import { counter, gauge, labelText, type MetricFamily, type MetricSample } from '../metrics/family.ts';
import { Histogram, SECONDS } from '../metrics/histogram.ts';
import type { Route } from './route.ts';

/** Counts requests by method, route and status, and their durations by method and route. */
export interface HttpMetrics {
  observe(method: string | undefined, route: Route | null, status: number, durationMs: number): void;
  families(): readonly MetricFamily[];
}

interface Series {
  readonly method: string;
  readonly route: string;
  readonly byStatus: Map<number, number>;
  readonly duration: Histogram;
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
      series.duration.observe(durationMs / 1000);
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
          samples: all.flatMap((series) => series.duration.samples()),
        },
      ];
    },
  };
}

function newSeries(method: string, route: string): Series {
  return { method, route, byStatus: new Map(), duration: new Histogram(SECONDS, { method, route }) };
}

function counts({ method, route, byStatus }: Series): MetricSample[] {
  return [...byStatus].map(([status, value]) => ({ labels: { method, route, status: String(status) }, value }));
}

/** The process itself; read when asked, so that it costs nothing in between. */
export function processFamilies(): readonly MetricFamily[] {
  const cpu = process.cpuUsage();
  const memory = process.memoryUsage();
  return [
    counter('process_cpu_seconds_total', 'CPU time of the host process.', (cpu.user + cpu.system) / 1e6),
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
    for (const { suffix, labels, value } of samples) {
      const text = labels === undefined ? '' : typeof labels === 'string' ? labels : labelText(labels);
      lines.push(`${name}${suffix ?? ''}${text} ${value}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
