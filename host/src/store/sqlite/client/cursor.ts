import { validationError } from '../../../core/errors.ts';
import type { SeqPage } from '../rows.ts';
import type { Page } from '../../../core/records.ts';

/** Opaque cursors: the list that they belong to and the numbers of the place where the next page begins. */

export function writeCursor(list: string, numbers: readonly number[]): string {
  return Buffer.from([list, ...numbers.map((number) => number.toString(36))].join('.')).toString('base64url');
}

/** Throws VALIDATION_FAILED for a cursor that is not from this list. */
export function readCursor(list: string, cursor: string, count: number): readonly number[] {
  const [name, ...parts] = Buffer.from(cursor, 'base64url').toString('latin1').split('.');
  const numbers = parts.map((part) => (/^[0-9a-z]{1,11}$/.test(part) ? Number.parseInt(part, 36) : Number.NaN));
  if (name === list && numbers.length === count && numbers.every((number) => Number.isSafeInteger(number)))
    return numbers;
  throw validationError([
    { pointer: '/cursor', message: 'must be the next_cursor of an earlier page of this list', keyword: 'cursor' },
  ]);
}

export function readSeqCursor(list: string, cursor: string | undefined): number | null {
  return cursor === undefined ? null : (readCursor(list, cursor, 1)[0] ?? null);
}

export function toPage<Row, Item>(list: string, page: SeqPage<Row>, decode: (row: Row) => Item): Page<Item> {
  return {
    items: page.rows.map((row) => decode(row)),
    next_cursor: page.next === null ? null : writeCursor(list, [page.next]),
  };
}
