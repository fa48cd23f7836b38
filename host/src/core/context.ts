import { randomHex } from './random.ts';

/**
 * What goes with a piece of work through every room: who it is for, which trace it belongs to, until when it may take, and the signal that
 * ends it early. Functions that can wait take it as their first parameter. Made at the door (an HTTP request, a restart, a schedule) and
 * narrowed on the way by `withDeadline` and `withRun`; never widened.
 */
export interface Context {
  /** 32 hex digits, W3C trace context. */
  readonly traceId: string;
  /** 16 hex digits: the span that this work is part of. */
  readonly spanId: string;
  readonly tenantId: string;
  readonly userId: string;
  /** Monotonic, in the milliseconds of `performance.now()`; Infinity where none is set. */
  readonly deadline: number;
  /** Fires when the work is cancelled. The deadline is a number, not a signal, so that a context costs no timer. */
  readonly signal: AbortSignal | null;
  /** False: whoever began the trace asked not to record it. */
  readonly sampled?: boolean;
  readonly workflowId?: string;
  readonly runId?: string;
}

/** Trace and caller of a new piece of work. */
export interface ContextInit {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly deadline?: number;
  readonly signal?: AbortSignal | null;
  readonly sampled?: boolean;
}

export function newContext(init: ContextInit): Context {
  return {
    traceId: init.traceId ?? newTraceId(),
    spanId: init.spanId ?? newSpanId(),
    tenantId: init.tenantId,
    userId: init.userId,
    deadline: init.deadline ?? Number.POSITIVE_INFINITY,
    signal: init.signal ?? null,
    ...(init.sampled === false ? { sampled: false } : {}),
  };
}

/** The context of the host's own work: start, recovery, retention. */
export function systemContext(): Context {
  return newContext({ tenantId: 'default', userId: 'system' });
}

export function withDeadline(ctx: Context, deadline: number): Context {
  return deadline < ctx.deadline ? { ...ctx, deadline } : ctx;
}

export function withRun(ctx: Context, workflowId: string, runId: string, signal: AbortSignal | null): Context {
  return { ...ctx, workflowId, runId, signal };
}

/** Milliseconds until the deadline, never below 0. */
export function remainingMs(ctx: Context): number {
  return Math.max(0, ctx.deadline - performance.now());
}

/** Throws the signal's reason when the work has been cancelled. */
export function throwIfEnded(ctx: Context): void {
  ctx.signal?.throwIfAborted();
}

export function newTraceId(): string {
  return randomHex(16);
}

export function newSpanId(): string {
  return randomHex(8);
}

/** W3C `traceparent` (https://www.w3.org/TR/trace-context/). */
export function traceparentOf(ctx: Pick<Context, 'traceId' | 'spanId' | 'sampled'>): string {
  return `00-${ctx.traceId}-${ctx.spanId}-${ctx.sampled === false ? '00' : '01'}`;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Trace and parent span of a `traceparent` header; null where it is missing or malformed. */
export function parseTraceparent(
  header: string | undefined,
): { readonly traceId: string; readonly parentSpanId: string; readonly sampled: boolean } | null {
  const match = header === undefined ? null : TRACEPARENT.exec(header);
  // Version 00 has exactly four fields; later ones may have more.
  if (match === null || (match[4] !== undefined && header?.startsWith('00'))) return null;
  const sampled = (Number.parseInt(match[3] as string, 16) & 1) === 1;
  return { traceId: match[1] as string, parentSpanId: match[2] as string, sampled };
}
