import { createHash } from 'node:crypto';
import { validationError } from '../core/errors.ts';
import type { Page } from '../core/records.ts';
import type { PageRequest } from '../store/store.ts';
import type { Query, QuerySpec } from './query.ts';
import { json } from './reply.ts';
import type { Reply } from './reply.ts';

/** The query parameters that every list takes. */
export const PAGE_QUERY = {
  limit: { kind: 'integer', min: 1, max: 200, default: 50, description: 'How many items at most.' },
  cursor: { kind: 'text', maxLength: 512, description: '`next_cursor` of the page before.' },
} as const satisfies QuerySpec;

/**
 * Cursors are opaque to clients: base64url of the list's name, the store's own cursor and a checksum, so that garbage and the cursor of another
 * list are told from a good one before the store sees them.
 */
function sealCursor(cursor: string, list: string): string {
  return Buffer.from(`${checksum(cursor, list)}:${cursor}`).toString('base64url');
}

function checksum(cursor: string, list: string): string {
  return createHash('sha256').update(`${list}:${cursor}`).digest('base64url').slice(0, CHECKSUM_CHARS);
}

const CHECKSUM_CHARS = 6;

export function pageRequest(query: Query, list: string): PageRequest {
  const limit = query.number('limit') ?? PAGE_QUERY.limit.default;
  const sealed = query.text('cursor');
  return sealed === undefined ? { limit } : { limit, cursor: openCursor(sealed, list) };
}

function openCursor(sealed: string, list: string): string {
  const opened = Buffer.from(sealed, 'base64url').toString('utf8');
  const cursor = opened.slice(CHECKSUM_CHARS + 1);
  if (sealCursor(cursor, list) !== sealed) throw badCursor();
  return cursor;
}

export function badCursor(): Error {
  const message = 'is not the next_cursor of a page of this list';
  return validationError([{ pointer: '/query/cursor', keyword: 'format', message }], 'the query');
}

/** Answers with a page as the API shows it. */
export function pageReply<T>(page: Page<T>, list: string, view: (item: T) => unknown): Reply {
  const next = page.next_cursor === null ? null : sealCursor(page.next_cursor, list);
  return json(200, { items: page.items.map(view), next_cursor: next });
}

/** One page of a list that is held in memory: ordered by `key`, which must be unique; a page goes on after the last key of the one before. */
export function pageOf<T>(items: readonly T[], key: (item: T) => string, request: PageRequest): Page<T> {
  const keyed = items.map((item) => [key(item), item] as const).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const after = request.cursor;
  const begin = after === undefined ? 0 : keyed.findIndex(([key]) => key > after);
  if (begin === -1) return { items: [], next_cursor: null };
  const page = keyed.slice(begin, begin + request.limit);
  const more = begin + request.limit < keyed.length;
  return { items: page.map(([, item]) => item), next_cursor: more ? (page.at(-1) as readonly [string, T])[0] : null };
}
