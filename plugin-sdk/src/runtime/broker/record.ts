import type { ErrorData } from '../../contract/index.ts';

/** One outgoing request or connection, finished or refused: for the run's record and the host's log. Holds no path and no secret. */
export interface EgressRecord {
  readonly kind: 'http' | 'tcp';
  /** HTTP method; `null` for a connection. */
  readonly method: string | null;
  /** The host as asked for, in its canonical spelling where it has one. */
  readonly host: string;
  readonly port: number;
  /** The address that was connected to; `null` when there was no connection. */
  readonly address: string | null;
  /** The granted entry that let it through, or the check that refused it (`not-granted`, `address:loopback`, `scheme` …). */
  readonly rule: string;
  /** HTTP status; `null` when no answer came. */
  readonly status: number | null;
  /** Bytes of the body, or of the connection, that were sent. */
  readonly bytesSent: number;
  /** Bytes of the body as it came over the wire (before decompression), or of the connection. */
  readonly bytesReceived: number;
  readonly durationMs: number;
  readonly error: ErrorData | null;
  /** How long an answer of 429 or 503 asked to be left alone (`Retry-After`), in milliseconds; left out where none did. */
  readonly retryAfterMs?: number;
  /** What it was sent with; left out for connections. */
  readonly traceparent?: string;
}
