/** A strict reader of the Prometheus text format 0.0.4: it refuses what promtool would complain about. */

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: ReadonlyArray<{
    readonly name: string;
    readonly labels: Record<string, string>;
    readonly value: number;
  }>;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]?(?:Inf|\d+(?:\.\d+)?(?:e[+-]?\d+)?))$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/gy;
const BASE_UNITS = /_(?:ms|milliseconds|minutes|kilobytes|kb|mb|percent)(?:_|$)/;

export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, { type: string; help: string; samples: Family['samples'][number][] }>();
  const seen = new Set<string>();
  let current = '';
  let help = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind, name, rest] = comment as unknown as [string, string, string, string];
      if (kind === 'HELP') {
        if (families.has(name)) throw new Error(`${name} comes twice`);
        [current, help] = [name, rest];
      } else {
        if (current !== name) throw new Error(`TYPE ${name} does not follow its HELP`);
        families.set(name, { type: rest, help, samples: [] });
        checkName(name, rest);
      }
      continue;
    }
    const match = SAMPLE.exec(line);
    if (match === null) throw new Error(`no sample: ${line}`);
    const [, name, labelled, value] = match as unknown as [string, string, string | undefined, string];
    const family = families.get(current);
    const suffix = name.slice(current.length);
    if (family === undefined || !name.startsWith(current) || !suffixes(family.type).includes(suffix))
      throw new Error(`${name} does not belong to the family ${current}`);
    const series = `${name}{${labelled ?? ''}}`;
    if (seen.has(series)) throw new Error(`${series} comes twice`);
    seen.add(series);
    family.samples.push({ name, labels: readLabels(labelled ?? ''), value: Number(value.replace('Inf', 'Infinity')) });
  }
  for (const [name, family] of families) if (family.type === 'histogram') checkHistogram(name, family.samples);
  return families;
}

function suffixes(type: string): readonly string[] {
  return type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
}

function checkName(name: string, type: string): void {
  if (!['counter', 'gauge', 'histogram'].includes(type)) throw new Error(`${name}: type ${type}`);
  if ((type === 'counter') !== name.endsWith('_total')) throw new Error(`${name}: only and all counters end in _total`);
  if (BASE_UNITS.test(name)) throw new Error(`${name}: not a base unit`);
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let at = 0;
  LABEL.lastIndex = 0;
  for (let match = LABEL.exec(text); match !== null; match = LABEL.exec(text)) {
    const [whole, name, value] = match as unknown as [string, string, string];
    if (Object.hasOwn(labels, name)) throw new Error(`label ${name} twice in ${text}`);
    labels[name] = value.replaceAll('\\n', '\n').replaceAll('\\"', '"').replaceAll('\\\\', '\\');
    at += whole.length;
    if (at === text.length) break;
  }
  if (at !== text.length) throw new Error(`malformed labels: ${text}`);
  return labels;
}

function checkHistogram(name: string, samples: Family['samples']): void {
  const bySeries = new Map<string, Array<[number, number]>>();
  const counts = new Map<string, number>();
  for (const { name: full, labels, value } of samples) {
    const { le, ...rest } = labels;
    const key = JSON.stringify(rest);
    if (full.endsWith('_count')) counts.set(key, value);
    if (!full.endsWith('_bucket')) continue;
    const buckets = bySeries.get(key) ?? [];
    bySeries.set(key, [...buckets, [Number((le as string).replace('Inf', 'Infinity')), value]]);
  }
  for (const [key, buckets] of bySeries) {
    for (let i = 1; i < buckets.length; i++) {
      const [[bound, value], [before, less]] = [buckets[i], buckets[i - 1]] as [[number, number], [number, number]];
      if (bound <= before || value < less) throw new Error(`${name}${key}: buckets are not cumulative`);
    }
    const last = buckets.at(-1);
    if (last?.[0] !== Infinity || last[1] !== counts.get(key)) throw new Error(`${name}${key}: +Inf is not the count`);
  }
}
