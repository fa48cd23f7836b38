import type { JsonValue } from './json.ts';

/** How grave a log line of a connector is. */
export type ConnectorLogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The part of a call's context that is plain data: it crosses from the host into the sandbox with the call. */
export interface CallContext {
  /** 32 hex digits, W3C trace context. */
  readonly traceId: string;
  /** W3C `traceparent` of the span of this call; the broker sends it on with each outgoing request. */
  readonly traceparent: string;
  readonly runId: string;
  readonly workflowId: string;
  readonly stepId: string;
  /** Starts at 1, counts retries and re-runs of the step. */
  readonly attempt: number;
  /** The same for every attempt of this step of this run. */
  readonly idempotencyKey: string;
  readonly tenantId: string;
  readonly userId: string;
  /** The credential's values (secrets as placeholders unless the manifest says `"secrets": "value"`), or null. */
  readonly credential: JsonValue;
}

export interface ConnectorLog {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

/** Values kept per plugin and tenant. Keys: 1 to 256 characters; a value: JSON of at most 256 kB. Needs the `storage` permission. */
export interface ConnectorStorage {
  /** The stored value, or `undefined` when there is none. */
  get(key: string): Promise<JsonValue | undefined>;
  set(key: string, value: JsonValue): Promise<void>;
  delete(key: string): Promise<void>;
  /** The keys that begin with `prefix`, sorted. */
  list(prefix?: string): Promise<string[]>;
}

/** A TCP or TLS connection, as in the WinterTC sockets API (https://sockets-api.proposal.wintertc.org/). */
export interface ConnectorSocket {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly opened: Promise<{ readonly remoteAddress?: string; readonly localAddress?: string }>;
  readonly closed: Promise<void>;
  readonly upgraded: boolean;
  readonly secureTransport: 'on' | 'off' | 'starttls';
  /** Ends both directions. */
  close(): Promise<void>;
  /** The same connection continued over TLS; only with `secureTransport: "starttls"`. */
  startTls(options?: { readonly expectedServerHostname?: string }): ConnectorSocket;
}

export type SocketAddress = string | { readonly hostname: string; readonly port: number };
export interface SocketOptions {
  readonly secureTransport?: 'on' | 'off' | 'starttls';
  readonly allowHalfOpen?: boolean;
}

/** What an action's `run` gets as its first argument. It ends with the call: nothing in it works after the action returned. */
export interface ConnectorContext<Credential = unknown> extends Omit<CallContext, 'credential'> {
  /** Fires when the deadline passes or the run is cancelled. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  /** Milliseconds until the deadline, never below 0. */
  remaining(): number;
  readonly credential: Credential;
  readonly log: ConnectorLog;
  readonly fetch: typeof fetch;
  connect(address: SocketAddress, options?: SocketOptions): ConnectorSocket;
  readonly storage: ConnectorStorage;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when that fires first. */
  sleep(ms: number): Promise<void>;
  /** Reports how far the call is, 0 to 1. */
  progress(fraction: number, message?: string): void;
  /**
   * Runs `work` and tells how long it took, as a span of the run's trace below this call; what `work` throws is thrown on. Names have 128 characters,
   * a call 100 spans.
   *
   * ```ts
   * const pages = await ctx.span('read pages', () => readAll(ctx));
   * ```
   */
  span<T>(name: string, work: () => T | Promise<T>): Promise<T>;
}
