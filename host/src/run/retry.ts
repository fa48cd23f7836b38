import { RUN_ERRORS, type ErrorData, type RunErrorCode } from '@goflow/plugin-sdk/contract';
import type { RetryPolicy } from '../workflow/definition.ts';

const DEFAULT_BACKOFF_MS = 500;
const DEFAULT_MAX_BACKOFF_MS = 30_000;

/** One attempt: what holds where a workflow says nothing. */
export const NO_RETRY: RetryPolicy = { max_attempts: 1 };

/** Whether another attempt may help: errors that say so themselves. */
export function isRetryable(error: ErrorData): boolean {
  return error.retryable;
}

/**
 * Milliseconds to wait before attempt `attempt` (2 is the first retry): exponential with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). A service that said when to come back is heard: that time is the least, and
 * the jitter comes on top of it, so that those who were told the same do not come at the same moment. It says so in `details.retry_after_ms`, or in the
 * `Retry-After` of an answer (`askedMs`).
 */
export function retryDelay(
  policy: RetryPolicy,
  attempt: number,
  error: ErrorData,
  askedMs = 0,
  random: () => number = Math.random,
): number {
  const base = policy.backoff_ms ?? DEFAULT_BACKOFF_MS;
  const cap = policy.max_backoff_ms ?? DEFAULT_MAX_BACKOFF_MS;
  const ceiling = Math.min(cap, base * 2 ** (attempt - 2));
  return Math.max(askedMs, retryAfterOf(error)) + random() * ceiling;
}

function retryAfterOf(error: ErrorData): number {
  const details = error.details;
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return 0;
  const value = (details as Readonly<Record<string, unknown>>)['retry_after_ms'];
  return typeof value === 'number' && value > 0 ? value : 0;
}

/** An error of one of GoFlow's own codes, as data. */
export function runError(code: RunErrorCode, message: string, details?: ErrorData['details']): ErrorData {
  return { code, message, retryable: RUN_ERRORS[code].retryable, ...(details === undefined ? {} : { details }) };
}
