import { CONNECTOR_ERROR_BRAND, type ErrorData } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json.ts';
import { toJsonText } from './json.ts';

const MAX_MESSAGE_CHARS = 8192;
const MAX_DETAILS_CHARS = 65_536;
const CODE = /^[A-Za-z0-9_.:-]{1,64}$/;

/** An error that connectors can read as a ConnectorError: `code`, `retryable` and `details` are on it. A network failure is a TypeError too, as `fetch` promises. */
export function makeFailure(data: ErrorData): Error {
  const isNetwork = data.code === 'NETWORK_ERROR' || data.code === 'CIRCUIT_OPEN';
  const error = isNetwork ? new TypeError(data.message) : new Error(data.message);
  const own = { name: 'ConnectorError', code: data.code, retryable: data.retryable, details: data.details };
  for (const [name, value] of Object.entries(own)) {
    Object.defineProperty(error, name, { value, writable: true, configurable: true, enumerable: name !== 'name' });
  }
  Object.defineProperty(error, CONNECTOR_ERROR_BRAND, { value: true });
  return error;
}

/** Reads anything that can be thrown. Never throws, whatever getters and proxies do. */
export function readThrown(thrown: unknown): ErrorData {
  try {
    if (thrown === null || (typeof thrown !== 'object' && typeof thrown !== 'function')) {
      return failure('CONNECTOR_ERROR', `the connector threw ${thrown === null ? 'null' : describePrimitive(thrown)}`);
    }
    if (Object.getOwnPropertyDescriptor(thrown, CONNECTOR_ERROR_BRAND)?.value === true) return readBranded(thrown);
    const { message, name } = thrown as { message?: unknown; name?: unknown };
    const text = typeof message === 'string' && message !== '' ? message : 'the connector failed without a message';
    const details = typeof name === 'string' && name !== 'Error' ? { name: name.slice(0, 64) } : undefined;
    return failure('CONNECTOR_ERROR', text, false, details);
  } catch {
    return failure('CONNECTOR_ERROR', 'the connector threw something that cannot be read');
  }
}

function readBranded(thrown: object): ErrorData {
  const { code, message, retryable, details } = thrown as Record<string, unknown>;
  return failure(
    typeof code === 'string' && CODE.test(code) ? code : 'CONNECTOR_ERROR',
    typeof message === 'string' ? message : 'the connector failed without a message',
    retryable === true,
    readDetails(details),
  );
}

function readDetails(details: unknown): JsonValue | undefined {
  if (details === undefined) return undefined;
  try {
    return JSON.parse(toJsonText(details, MAX_DETAILS_CHARS)) as JsonValue;
  } catch {
    return { dropped: 'the details were not JSON or too large' };
  }
}

function describePrimitive(value: unknown): string {
  return typeof value === 'string' ? value : String(value);
}

export function failure(code: string, message: string, retryable = false, details?: JsonValue): ErrorData {
  const cut = message.length > MAX_MESSAGE_CHARS ? `${message.slice(0, MAX_MESSAGE_CHARS)}…` : message;
  return details === undefined ? { code, message: cut, retryable } : { code, message: cut, retryable, details };
}
