import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';

/** Data goes to standard output, messages for people to standard error. */
export function say(message: string): void {
  process.stderr.write(`${message}\n`);
}

export function printJson(value: JsonValue): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** A table for people: one row an item, columns as wide as they need. */
export function printTable(columns: readonly string[], items: readonly JsonObject[]): void {
  const rows = [
    columns.map((column) => column.toUpperCase()),
    ...items.map((item) => columns.map((column) => cell(item[column]))),
  ];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => (row[index] as string).length)));
  for (const row of rows)
    process.stdout.write(
      `${row
        .map((text, index) => text.padEnd(widths[index] as number))
        .join('  ')
        .trimEnd()}\n`,
    );
}

// Values come from strangers: control characters would let them write to the terminal.
const CONTROL = /\p{Cc}/gu;

/** A field of an answer as text. */
export function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
}

function cell(value: JsonValue | undefined): string {
  return value === undefined || value === null ? '-' : text(value).replaceAll(CONTROL, ' ');
}
