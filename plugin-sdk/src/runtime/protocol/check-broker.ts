import { isArrayOf, isCount, isJson, isObject, isText, isTextOrNull } from './check-values.ts';
import type { BrokerCall } from './broker.ts';

/** Bodies that a connector sends at once; larger ones it has to write in pieces. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_NAME = 64 * 1024;
const MAX_HEADERS = 10_000;

/** Whether `value` has the shape of a call to the broker. What it may do is the broker's to decide. */
export function isBrokerCall(value: unknown): value is BrokerCall {
  if (!isObject(value)) return false;
  switch (value.op) {
    case 'fetch':
      return isFetchRequest(value.request);
    case 'body.read':
    case 'body.cancel':
      return isCount(value.body);
    case 'connect':
      return isText(value.host, MAX_NAME) && isCount(value.port) && isTransport(value.secureTransport);
    case 'socket.read':
    case 'socket.end':
    case 'socket.close':
      return isCount(value.socket);
    case 'socket.write':
      return isCount(value.socket) && isBytes(value.data);
    case 'socket.starttls':
      return isCount(value.socket) && isTextOrNull(value.serverName, MAX_NAME);
    case 'storage.get':
    case 'storage.delete':
      return isText(value.key, MAX_NAME);
    case 'storage.set':
      return isText(value.key, MAX_NAME) && isJson(value.value);
    case 'storage.list':
      return isText(value.prefix, MAX_NAME);
    default:
      return false;
  }
}

function isFetchRequest(value: unknown): boolean {
  return (
    isObject(value) &&
    isText(value.url, 16 * MAX_NAME) &&
    isText(value.method, MAX_NAME) &&
    isArrayOf(value.headers, isHeader, MAX_HEADERS) &&
    (value.body === null || isBytes(value.body)) &&
    (value.redirect === 'follow' || value.redirect === 'error' || value.redirect === 'manual')
  );
}

function isHeader(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && isText(value[0], MAX_NAME) && isText(value[1], 16 * MAX_NAME);
}

function isTransport(value: unknown): boolean {
  return value === 'on' || value === 'off' || value === 'starttls';
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.byteLength <= MAX_BYTES;
}
