import { loadavg } from 'node:os';

/** One figure that is to be reached. */
export interface Row {
  readonly what: string;
  readonly bar: string;
  readonly measured: string;
  readonly ok: boolean;
}

/** A figure that may be at most `most`. */
export function atMost(what: string, measured: number, most: number, unit: string): Row {
  return { what, bar: `${most} ${unit}`, measured: `${rounded(measured)} ${unit}`, ok: measured <= most };
}

/** Something that may not happen. */
export function none(what: string, happened: readonly string[], of?: number): Row {
  const [first] = happened;
  const measured = `${happened.length}${of === undefined ? '' : ` of ${of}`}${first === undefined ? '' : `: ${first.slice(0, 200)}`}`;
  return { what, bar: '0', measured, ok: happened.length === 0 };
}

/** For the reader, with nothing to reach. */
export function note(what: string, measured: string): Row {
  return { what, bar: '', measured, ok: true };
}

export function print(title: string, rows: readonly Row[]): void {
  console.log(`\n### ${title} (load ${loadavg()[0]?.toFixed(1)})\n`);
  const cells = [
    ['what', 'to reach', 'measured', ''],
    ...rows.map(({ what, bar, measured, ok }) => [what, bar, measured, bar === '' ? '' : ok ? 'ok' : 'MISSED']),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => (row[column] as string).length)));
  for (const [index, row] of cells.entries()) {
    console.log(`| ${row.map((cell, column) => cell.padEnd(widths[column] as number)).join(' | ')} |`);
    if (index === 0) console.log(`|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
  }
}

/** The value below which `share` of all lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
}
