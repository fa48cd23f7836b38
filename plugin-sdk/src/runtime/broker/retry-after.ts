import { type Header, headerValue } from './headers.ts';

/** A date far away says nothing that a run could wait for. */
const MAX_MS = 24 * 60 * 60 * 1000;

/** Answers that say when to come back, where they do: too many requests, and not now. */
const STATUSES = new Set([429, 503]);

/** Milliseconds of the `Retry-After` header (RFC 9110, 10.2.3: seconds, or a date) of an answer that asks to be left alone; 0 where it does not. */
export function retryAfterMs(status: number, headers: readonly Header[], now: number = Date.now()): number {
  if (!STATUSES.has(status)) return 0;
  const text = headerValue(headers, 'retry-after')?.trim() ?? '';
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return ms > 0 ? Math.min(ms, MAX_MS) : 0;
}
