import type { Db, Sql } from '../db.ts';
import type { SeqPage, SeqRange } from '../rows.ts';

/**
 * Reads a page, newest first. `select` is a query whose first column is `seq`, which is cut off here;
 * its first placeholder is the tenant, the others are `values`.
 */
export function seqPage<Row extends readonly Sql[]>(
  db: Db,
  select: string,
  seqColumn: string,
  range: SeqRange,
  values: readonly Sql[] = [],
): SeqPage<Row> {
  const sql = `${select} AND ${seqColumn} < ? ORDER BY ${seqColumn} DESC LIMIT ?`;
  const found = db.rows<readonly [number, ...Sql[]]>(sql, [
    range.tenantId,
    ...values,
    range.below ?? Number.MAX_SAFE_INTEGER,
    range.limit + 1,
  ]);
  const more = found.length > range.limit;
  const page = more ? found.slice(0, range.limit) : found;
  const rows = page.map(([, ...row]) => row as unknown as Row);
  return { rows, next: more ? (page.at(-1)?.[0] ?? null) : null };
}
