import { CONNECTOR_ERROR_BRAND, type ErrorData } from './contract/errors.ts';
import type { JsonValue } from './contract/json.ts';

export interface ConnectorErrorOptions {
  /** Whether the same call may succeed later; the workflow's `retry` obeys it. Default `false`. */
  readonly retryable?: boolean;
  /** What a program may want to know; JSON, shown in the run's error. */
  readonly details?: JsonValue;
  /** What led to it; stays in the sandbox. */
  readonly cause?: unknown;
}

/**
 * The way for an action to fail. Anything else that is thrown fails the run as well, with code `CONNECTOR_ERROR`.
 *
 * @example
 * throw new ConnectorError('RATE_LIMITED', 'the service takes 10 calls a minute', { retryable: true });
 */
export class ConnectorError extends Error implements ErrorData {
  override readonly name = 'ConnectorError';
  /** Upper-case words joined by `_`, at most 64 characters; the run's `error.code`. */
  readonly code: string;
  readonly retryable: boolean;
  declare readonly details?: JsonValue;
  /** Tells this class across copies of the SDK and across realms. */
  readonly [CONNECTOR_ERROR_BRAND] = true;

  constructor(code: string, message: string, options: ConnectorErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable === true;
    if (options.details !== undefined) this.details = options.details;
  }

  /** Whether `value` is a ConnectorError, also one of another copy of the SDK. */
  static is(value: unknown): value is ConnectorError {
    return (
      typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[CONNECTOR_ERROR_BRAND] === true
    );
  }
}
