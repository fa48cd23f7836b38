import type { CallContext, ConnectorLogLevel } from '../../contract/index.ts';
import type { AbortReason } from '../protocol/engine.ts';
import type { BrokerAnswer } from '../protocol/broker.ts';

/**
 * The border between the outer realm of a worker (Node's powers) and the guest half inside a compartment.
 *
 * The rule: only primitives, `Uint8Array`s over memory of their own, and frozen plain data cross, in both directions. No Node object
 * ever does, because any one of them leads to all of Node. The guest half is our code and is the only holder of these functions; the
 * connector sees just the web classes that the guest half builds.
 */
export interface Outer {
  /** Key of the call in whose asynchronous context the running code is; 0 for none, as at module load. */
  current(): number;
  /** The call returned; `text` is JSON. */
  finish(key: number, text: string): void;
  /** The call failed; `error` is the JSON of an `ErrorData`. */
  fail(key: number, error: string): void;
  /** Sends a broker call (JSON of a `BrokerCall` without its bytes). Its number; 0 when the call has ended, -1 when it is too large or malformed. */
  ask(key: number, request: string, bytes: Uint8Array | null): number;
  log(key: number, level: ConnectorLogLevel, message: string, fields: string | null): void;
  progress(key: number, fraction: number, message: string | null): void;
  /** A span that has just ended. */
  span(key: number, name: string, durationMs: number, failed: boolean): void;
  /** Starts a timer that `Guest.fire` answers; 0 when the call has ended. */
  setTimer(key: number, ms: number, repeat: boolean): number;
  clearTimer(key: number, timer: number): void;
  /** Evaluates source text in the guest's own compartment. */
  evaluate(source: string): unknown;

  /** Monotonic milliseconds since `timeOrigin`. */
  now(): number;
  timeOrigin(): number;

  parseUrl(url: string, base: string | null): UrlParts | null;
  /** The URL with one part set by the URL Standard's rules; unchanged when the value does not fit. */
  changeUrl(href: string, part: UrlPart, value: string): UrlParts;

  /** The standard's name of an encoding label; `null` for one that does not exist. */
  encodingName(label: string): string | null;
  encodeUtf8(text: string): Uint8Array;
  /** Decodes whole UTF-8 text; `null` when it is malformed and `fatal`. */
  decodeUtf8(bytes: Uint8Array, fatal: boolean, ignoreBom: boolean): string | null;
  /** A decoder with a state of its own, for streaming and for other encodings; freed by `closeDecoder`. */
  openDecoder(label: string, fatal: boolean, ignoreBom: boolean): number;
  runDecoder(decoder: number, bytes: Uint8Array, stream: boolean): string | null;
  closeDecoder(decoder: number): void;
  /** `null` for characters outside Latin-1. */
  encodeBase64(latin1: string): string | null;
  decodeBase64(base64: string): string | null;

  /** `length` is at most 65,536. */
  randomBytes(length: number): Uint8Array;
  randomUuid(): string;

  /** Starts asynchronous work; `Guest.settle` answers with its number, or `Guest.forget` when its call has ended meanwhile. 0 when the call has ended before. */
  task(kind: TaskKind, args: readonly unknown[]): number;
  /** The guest no longer holds this key. */
  dropKey(key: number): void;
  openZlib(format: ZlibFormat, direction: 'compress' | 'decompress'): number;
  closeZlib(stream: number): void;
}

/** href, protocol, username, password, host, hostname, port, pathname, search, hash, origin */
export type UrlParts = readonly [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];
export type UrlPart =
  | 'href'
  | 'protocol'
  | 'username'
  | 'password'
  | 'host'
  | 'hostname'
  | 'port'
  | 'pathname'
  | 'search'
  | 'hash';
export type ZlibFormat = 'gzip' | 'deflate' | 'deflate-raw';
export type SubtleOp =
  | 'digest'
  | 'sign'
  | 'verify'
  | 'encrypt'
  | 'decrypt'
  | 'importKey'
  | 'exportKey'
  | 'generateKey'
  | 'deriveBits'
  | 'deriveKey'
  | 'wrapKey'
  | 'unwrapKey';
export type TaskKind = SubtleOp | 'zlib.write' | 'zlib.end';

/** A key as the guest sees it: `id` stands for the real one, which stays outside. */
export interface KeyData {
  readonly id: number;
  readonly type: string;
  readonly extractable: boolean;
  readonly usages: readonly string[];
  readonly algorithm: Readonly<Record<string, unknown>>;
}

/** What a task ends with. */
export type TaskValue = Uint8Array | boolean | string | KeyData | readonly [KeyData, KeyData] | null;
export interface TaskError {
  readonly name: string;
  readonly message: string;
}

/** What the guest half offers to the outer realm. None of these throws; none returns an object of the connector. */
export interface Guest {
  /** Evaluates the bundle's code; `key` is the call that gets what it logs. `null`, or the JSON of an `ErrorData`. */
  load(code: string, key: number): string | null;
  /** Starts an action; ends in one `Outer.finish` or `Outer.fail`. */
  invoke(key: number, action: string, input: string, context: CallContext, deadline: number): void;
  /** JSON of the definition, or of an `ErrorData`. */
  describe(): readonly [ok: boolean, text: string];
  /** Fires the call's signal and fails everything it waits for. */
  abort(key: number, reason: AbortReason): void;
  answer(key: number, ask: number, ok: true, value: BrokerAnswer): void;
  answer(key: number, ask: number, ok: false, value: string): void;
  fire(timer: number): void;
  settle(task: number, ok: true, value: TaskValue): void;
  settle(task: number, ok: false, value: TaskError): void;
  /** The task's call has ended: what waits for it goes nowhere. */
  forget(task: number): void;
  /** Logs to a call what was thrown where nobody catches. */
  uncaught(key: number, thrown: unknown, kind: 'rejection' | 'exception'): void;
}
