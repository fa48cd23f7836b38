import {
  diag,
  DiagLogLevel,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type HrTime,
  type SpanContext,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Logger } from '../core/log.ts';
import { samplerOf } from './sampling.ts';
import type { SpanData, Tracing } from './span.ts';

const KINDS = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;
/** Room for a burst: at four spans a run, what a busy second of a host makes. */
const QUEUE = 16_384;

/**
 * Sends spans to an OTLP receiver over HTTP. The only place that knows OpenTelemetry; loaded only when tracing is on. Rooms tell spans when they have
 * ended, so nothing is kept while work goes on: the SDK's batching and its exporter, which reads the `OTEL_EXPORTER_OTLP_*` variables, are all
 * that is used of it.
 */
export function otlpTracing(env: Readonly<Record<string, string | undefined>>, version: string, log: Logger): Tracing {
  diag.setLogger(diagnostics(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const sample = samplerOf(env['OTEL_TRACES_SAMPLER'], env['OTEL_TRACES_SAMPLER_ARG']);
  if (sample === null) log.warn(null, 'OTEL_TRACES_SAMPLER is not known; every trace is sent');
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'goflow', 'service.version': version }))
    .merge(detectResources({ detectors: [envDetector] }));
  const processor = new BatchSpanProcessor({
    exporter: new OTLPTraceExporter(),
    maxQueueSize: numberOf(env['OTEL_BSP_MAX_QUEUE_SIZE'], QUEUE),
    maxExportBatchSize: numberOf(env['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'], 512),
    scheduledDelayMillis: numberOf(env['OTEL_BSP_SCHEDULE_DELAY'], 5000),
    exportTimeoutMillis: numberOf(env['OTEL_BSP_EXPORT_TIMEOUT'], 30_000),
  });
  const scope = { name: 'goflow', version };
  return {
    record(span) {
      if (sample !== null && !sample(span.traceId, span.sampled !== false)) return;
      processor.onEnd(readable(span, resource, scope));
    },
    async close() {
      try {
        await processor.shutdown();
      } catch (error) {
        log.warn(null, 'the last spans could not be sent', { 'error.message': String(error) });
      }
    },
  };
}

function readable(
  span: SpanData,
  resource: ReadableSpan['resource'],
  instrumentationScope: ReadableSpan['instrumentationScope'],
): ReadableSpan {
  const contextOf = (spanId: string): SpanContext => ({
    traceId: span.traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
  });
  const own = contextOf(span.spanId);
  const error = span.error ?? null;
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => own,
    ...(span.parentSpanId === null ? {} : { parentSpanContext: contextOf(span.parentSpanId) }),
    startTime: hrTime(span.start),
    endTime: hrTime(span.end),
    duration: split(span.end - span.start),
    status: error === null ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error.message },
    attributes: error === null ? span.attributes : { ...span.attributes, 'error.type': error.code },
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** The wall clock may be set while the host runs, so the two clocks are compared anew each time. */
function hrTime(monotonic: number): HrTime {
  return split(Date.now() - performance.now() + monotonic);
}

function split(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.max(0, Math.round((ms - seconds * 1000) * 1e6))];
}

function numberOf(text: string | undefined, fallback: number): number {
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isInteger(value) && value > 0 ? value : fallback;
}

function diagnostics(log: Logger) {
  const at =
    (level: 'debug' | 'warn') =>
    (message: string, ...rest: unknown[]) => {
      log.log(level, null, `tracing: ${message}`, rest.length === 0 ? {} : { detail: rest.map(String).join(' ') });
    };
  return { error: at('warn'), warn: at('warn'), info: at('debug'), debug: at('debug'), verbose: at('debug') };
}
