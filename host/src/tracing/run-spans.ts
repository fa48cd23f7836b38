import type { ErrorData } from '@goflow/plugin-sdk/contract';
import type { EgressRecord } from '@goflow/plugin-sdk/runtime';
import { newSpanId, parseTraceparent, type Context } from '../core/context.ts';
import type { RunRecord, StepRecord } from '../core/records.ts';
import type { SpanData, Tracer } from './span.ts';

/** An attempt of a step, as the run room tells it. Times in the milliseconds of `performance.now()`. */
export interface AttemptSpan {
  /** Span of the step. */
  readonly parentSpanId: string;
  readonly stepId: string;
  readonly attempt: number;
  readonly plugin: string;
  readonly action: string;
  readonly start: number;
  readonly status: string;
  readonly error: ErrorData | null;
  /** How long the sandbox had the call, in milliseconds; null when it did not say. */
  readonly wallMs: number | null;
}

/** Which spans a run has: the run, its time in the queue, its steps, their attempts, the sandbox, and each request that goes out. */
export interface RunSpans {
  /** `ctx` is the run's: its span is the run's span. */
  runEnded(ctx: Context, parentSpanId: string | null, start: number, workflow: string, record: RunRecord): void;
  queued(ctx: Context, start: number): void;
  stepEnded(ctx: Context, spanId: string, start: number, step: StepRecord): void;
  /** `ctx` is the attempt's: its span is that of the call. */
  attemptEnded(ctx: Context, attempt: AttemptSpan): void;
  /** What a connector measured itself with `ctx.span`, just now. */
  connectorSpan(ctx: Context, name: string, durationMs: number, failed: boolean): void;
  egressFinished(ctx: Context, plugin: string, record: EgressRecord, host: string): void;
}

export function createRunSpans(tracer: Tracer): RunSpans {
  function record(
    ctx: Context,
    span: Pick<SpanData, 'name' | 'spanId' | 'parentSpanId' | 'start' | 'attributes'> & Partial<SpanData>,
  ): void {
    tracer.record({
      kind: 'internal',
      traceId: ctx.traceId,
      end: performance.now(),
      ...(ctx.sampled === false ? { sampled: false } : {}),
      ...span,
      attributes: {
        'goflow.run_id': ctx.runId,
        'goflow.workflow_id': ctx.workflowId,
        'goflow.tenant_id': ctx.tenantId,
        ...span.attributes,
      },
    });
  }

  return {
    runEnded(ctx, parentSpanId, start, workflow, run) {
      record(ctx, {
        name: `run ${workflow}`,
        spanId: ctx.spanId,
        parentSpanId,
        start,
        attributes: {
          'goflow.status': run.status,
          'goflow.trigger': run.trigger.type,
          'goflow.workflow_version': run.workflow_version,
          'goflow.attempt': run.attempt,
          'goflow.ended_by': run.ended_by ?? undefined,
        },
        error: run.error,
      });
    },
    queued(ctx, start) {
      record(ctx, { name: 'queued', spanId: newSpanId(), parentSpanId: ctx.spanId, start, attributes: {} });
    },
    stepEnded(ctx, spanId, start, step) {
      record(ctx, {
        name: `step ${step.id}`,
        spanId,
        parentSpanId: ctx.spanId,
        start,
        attributes: {
          'goflow.step_id': step.id,
          'goflow.action': step.action,
          'goflow.status': step.status,
          'goflow.attempt': step.attempt,
        },
        error: step.error,
      });
    },
    attemptEnded(ctx, attempt) {
      const end = performance.now();
      const attributes = {
        'goflow.step_id': attempt.stepId,
        'goflow.plugin': attempt.plugin,
        'goflow.action': attempt.action,
        'goflow.attempt': attempt.attempt,
      };
      record(ctx, {
        name: `call ${attempt.plugin}/${attempt.action}`,
        spanId: ctx.spanId,
        parentSpanId: attempt.parentSpanId,
        start: attempt.start,
        end,
        attributes: { ...attributes, 'goflow.status': attempt.status },
        error: attempt.error,
      });
      if (attempt.wallMs === null) return;
      // The sandbox's clock is its own: all that is known is how long it took, and that it ended just now.
      const start = Math.max(attempt.start, end - attempt.wallMs);
      record(ctx, { name: 'sandbox', spanId: newSpanId(), parentSpanId: ctx.spanId, start, end, attributes });
    },
    connectorSpan(ctx, name, durationMs, failed) {
      record(ctx, {
        name,
        spanId: newSpanId(),
        parentSpanId: ctx.spanId,
        start: performance.now() - durationMs,
        attributes: {},
        error: failed ? { code: 'CONNECTOR_ERROR', message: 'it threw' } : null,
      });
    },
    egressFinished(ctx, plugin, egress, host) {
      const sent = egress.traceparent === undefined ? null : parseTraceparent(egress.traceparent);
      record(ctx, {
        name: egress.method ?? 'connect',
        kind: 'client',
        spanId: sent?.parentSpanId ?? newSpanId(),
        parentSpanId: ctx.spanId,
        start: performance.now() - egress.durationMs,
        attributes: {
          'goflow.plugin': plugin,
          'goflow.rule': egress.rule,
          'http.request.method': egress.method ?? undefined,
          'http.response.status_code': egress.status ?? undefined,
          'http.request.body.size': egress.bytesSent,
          'http.response.body.size': egress.bytesReceived,
          'server.address': host,
          'server.port': egress.port,
          'network.peer.address': egress.address ?? undefined,
        },
        error: egress.error === null ? null : { code: egress.error.code, message: egress.error.code },
      });
    },
  };
}
