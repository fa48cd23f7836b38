import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../auth/principal.ts';
import type { Route } from './route.ts';

/** One request and its answer on their way through the middleware: what the access log, the metrics and the problem document need. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly traceId: string;
  /** The span of this request; spans of what it starts are below it. */
  readonly spanId: string;
  /** The caller's span; null where it sent none. */
  readonly parentSpanId: string | null;
  /** False: the caller asked not to record the trace. */
  readonly sampled: boolean;
  /** In the milliseconds of `performance.now()`. */
  readonly startedAt: number;
  /** Without the query, which may hold secrets. */
  readonly path: string;
  /** What follows `?`; empty when there is nothing. */
  readonly search: string;
  route: Route | null;
  principal: Principal | null;
  /** Whether the answer must be the last on its connection. */
  closes: boolean;
  errorCode: string | null;
  workflowId: string | null;
  runId: string | null;
  /** What the path names, for the audit trail. */
  target: string | null;
  /** The headers that tell how often the caller may ask; flat. */
  rateLimit: readonly string[] | null;
}
