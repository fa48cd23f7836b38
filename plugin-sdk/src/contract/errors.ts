import type { JsonValue } from './json.ts';

/**
 * Every code that a run's `error.code` can have, besides those that connectors make up themselves.
 * `fault` says who has to act; `retryable` says whether the same call may succeed later.
 */
export const RUN_ERRORS = {
  DEADLINE_EXCEEDED: { fault: 'author', retryable: false },
  CANCELLED: { fault: 'client', retryable: false },
  INPUT_INVALID: { fault: 'client', retryable: false },
  CREDENTIAL_MISSING: { fault: 'operator', retryable: false },
  PERMISSION_NOT_GRANTED: { fault: 'operator', retryable: false },
  EGRESS_DENIED: { fault: 'operator', retryable: false },
  NETWORK_ERROR: { fault: 'operator', retryable: true },
  CIRCUIT_OPEN: { fault: 'operator', retryable: true },
  TEMPLATE_PATH_MISSING: { fault: 'client', retryable: false },
  PLUGIN_UNAVAILABLE: { fault: 'operator', retryable: false },
  PLUGIN_QUARANTINED: { fault: 'author', retryable: false },
  CONNECTOR_ERROR: { fault: 'author', retryable: false },
  RESULT_NOT_JSON: { fault: 'author', retryable: false },
  RESULT_TOO_LARGE: { fault: 'author', retryable: false },
  RESULT_INVALID: { fault: 'author', retryable: false },
  OUT_OF_MEMORY: { fault: 'author', retryable: false },
  PLUGIN_CRASHED: { fault: 'author', retryable: false },
  INTERRUPTED: { fault: 'operator', retryable: false },
} as const satisfies Record<string, { fault: 'client' | 'author' | 'operator' | 'bug'; retryable: boolean }>;

export type RunErrorCode = keyof typeof RUN_ERRORS;

/** An error as plain data: the only form in which errors cross a border. */
export interface ErrorData {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: JsonValue;
}

/** Marks ConnectorError across copies of the SDK and across realms, where `instanceof` does not hold. */
export const CONNECTOR_ERROR_BRAND: unique symbol = Symbol.for('goflow.ConnectorError') as never;
