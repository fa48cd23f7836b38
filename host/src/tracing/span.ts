/** What a room tells of a piece of work that has ended. Plain data: the rooms know nothing of OpenTelemetry. */
export interface SpanData {
  readonly name: string;
  /** `server`: asked for by a client; `client`: asks another service; `internal`: neither. */
  readonly kind: 'internal' | 'server' | 'client';
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly parentSpanId: string | null;
  /** False: the caller asked not to record its trace. */
  readonly sampled?: boolean;
  /** In the milliseconds of `performance.now()`. */
  readonly start: number;
  readonly end: number;
  /** Undefined ones are left out. Never a secret. */
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly error?: { readonly code: string; readonly message: string } | null;
}

/** Takes spans when they have ended; never throws, never waits. Rooms hold a `Tracer | null`, so that tracing costs nothing when it is off. */
export interface Tracer {
  record(span: SpanData): void;
}

export interface Tracing extends Tracer {
  /** Sends what is left, for at most the export timeout. */
  close(): Promise<void>;
}
