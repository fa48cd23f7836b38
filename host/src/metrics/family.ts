/** A metric family in the terms of the Prometheus text format; each room hands in its own. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Its labels name what belongs to tenants: for who administers the whole host only. */
  readonly hostWide?: boolean;
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  /** Added to the family's name: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
  /** By name, or as `labelText` writes them: what is shown often is written once. */
  readonly labels?: Labels | string;
  readonly value: number;
}

export type Labels = Readonly<Record<string, string>>;

export function gauge(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: 'gauge', samples: [{ value }] };
}

export function counter(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: 'counter', samples: [{ value }] };
}

/** Labels in the text format, with their braces; empty where there are none. */
export function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}
