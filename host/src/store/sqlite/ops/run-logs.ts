import type { Db } from '../db.ts';
import type { LogChunk } from '../rows.ts';
import { UNFINISHED } from './runs.ts';

/** Adds lines to a run that has not ended; those of an ended run are complete. */
export function appendLogs(db: Db, args: { readonly id: string; readonly chunks: readonly LogChunk[] }): void {
  const run = db.row<readonly [number]>(`SELECT seq FROM runs WHERE id = ? AND ${UNFINISHED}`, [args.id]);
  if (run === null) return;
  for (const chunk of args.chunks) {
    db.change('INSERT OR REPLACE INTO run_logs (run_seq, first_seq, last_seq, lines) VALUES (?, ?, ?, ?)', [
      run[0],
      ...chunk,
    ]);
  }
}

/** Chunks, as JSON arrays, that together hold at least the next `limit` lines after `after`, as far as there are that many. */
export function readLogs(
  db: Db,
  args: { readonly tenantId: string; readonly id: string; readonly after: number; readonly limit: number },
): readonly string[] {
  const run = db.row<readonly [number, string | null]>(
    'SELECT seq, last_logs FROM runs WHERE id = ? AND tenant_id = ?',
    [args.id, args.tenantId],
  );
  if (run === null) return [];
  const [seq, lastLogs] = run;
  const chunks = db.rows<LogChunk>(
    'SELECT first_seq, last_seq, lines FROM run_logs WHERE run_seq = ? AND last_seq > ? ORDER BY first_seq LIMIT ?',
    [seq, args.after, args.limit],
  );
  const texts: string[] = [];
  let lines = 0;
  for (const [first, last, text] of chunks) {
    if (lines >= args.limit) return texts;
    lines += last - Math.max(first, args.after + 1) + 1;
    texts.push(text);
  }
  if (lastLogs !== null) texts.push(lastLogs);
  return texts;
}
