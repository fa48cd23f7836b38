import type { JsonValue } from '../../contract/index.ts';
import type { BrokerCall, FetchRequest } from '../protocol/broker.ts';
import { invalidCall } from './errors.ts';

/** Largest body of a request and largest single write to a socket, in bytes. */
const MAX_SENT_BYTES = 50 * 1024 * 1024;
const MAX_URL_CHARS = 64 * 1024;

/**
 * Reads a call that hostile code may have made up: every field is looked at once, checked, and copied. Throws a `BrokerError` that
 * says which field is wrong.
 */
export function readCall(value: unknown): BrokerCall {
  const call = record(value, 'the call');
  const op = text(call['op'], 'op', 32);
  switch (op) {
    case 'fetch':
      return { op, request: readFetch(call['request']) };
    case 'body.read':
    case 'body.cancel':
      return { op, body: handle(call['body'], 'body') };
    case 'connect':
      return {
        op,
        host: text(call['host'], 'host', 1024),
        port: portNumber(call['port']),
        secureTransport: oneOf(call['secureTransport'], 'secureTransport', ['on', 'off', 'starttls'] as const),
      };
    case 'socket.read':
    case 'socket.end':
    case 'socket.close':
      return { op, socket: handle(call['socket'], 'socket') };
    case 'socket.write':
      return { op, socket: handle(call['socket'], 'socket'), data: bytes(call['data'], 'data') };
    case 'socket.starttls': {
      const serverName = call['serverName'];
      return {
        op,
        socket: handle(call['socket'], 'socket'),
        serverName: serverName === null || serverName === undefined ? null : text(serverName, 'serverName', 1024),
      };
    }
    case 'storage.get':
    case 'storage.delete':
      return { op, key: text(call['key'], 'key', 1024) };
    case 'storage.set':
      return { op, key: text(call['key'], 'key', 1024), value: call['value'] as JsonValue };
    case 'storage.list':
      return { op, prefix: text(call['prefix'], 'prefix', 1024) };
    default:
      throw invalidCall(`there is no operation ${JSON.stringify(op)}`);
  }
}

function readFetch(value: unknown): FetchRequest {
  const request = record(value, 'request');
  const headers = request['headers'];
  if (!Array.isArray(headers) || headers.length > 1024)
    throw invalidCall('"headers" must be a list of at most 1024 pairs');
  const body = request['body'];
  return {
    url: text(request['url'], 'url', MAX_URL_CHARS),
    method: text(request['method'], 'method', 32),
    headers: headers.map((pair: unknown) => {
      if (!Array.isArray(pair) || pair.length !== 2)
        throw invalidCall('each of "headers" must be a pair of name and value');
      const [name, content] = pair as unknown[];
      return [text(name, 'header name', 256), text(content, 'header value', MAX_URL_CHARS)] as const;
    }),
    body: body === null || body === undefined ? null : bytes(body, 'body'),
    redirect: oneOf(request['redirect'], 'redirect', ['follow', 'error', 'manual'] as const),
  };
}

function record(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw invalidCall(`${name} must be an object`);
  return value as Readonly<Record<string, unknown>>;
}

function text(value: unknown, name: string, longest: number): string {
  if (typeof value !== 'string') throw invalidCall(`"${name}" must be a string`);
  if (value.length > longest) throw invalidCall(`"${name}" has more than ${longest} characters`);
  return value;
}

function handle(value: unknown, name: string): number {
  if (!Number.isSafeInteger(value)) throw invalidCall(`"${name}" must be the number of a ${name}`);
  return value as number;
}

function portNumber(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > 65_535)
    throw invalidCall('"port" must be an integer from 1 to 65535');
  return value as number;
}

function bytes(value: unknown, name: string): Uint8Array {
  // Memory that somebody else can still write to could change after it was checked.
  if (!(value instanceof Uint8Array) || value.buffer instanceof SharedArrayBuffer)
    throw invalidCall(`"${name}" must be bytes`);
  if (value.byteLength > MAX_SENT_BYTES)
    throw invalidCall(`"${name}" has more than ${MAX_SENT_BYTES / 1024 / 1024} MB`);
  return value;
}

function oneOf<const T extends string>(value: unknown, name: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw invalidCall(`"${name}" must be one of ${allowed.join(', ')}`);
  return found;
}
