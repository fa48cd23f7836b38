import type { Logger } from '../../core/log.ts';
import type { Exchange } from '../exchange.ts';
import type { Tracer } from '../../tracing/span.ts';
import type { HttpMetrics } from '../metrics.ts';

const MAX_PATH = 512;

/** One line per finished request: when its last byte was handed over, or the client went. Never the query, never a body. */
export function logWhenFinished(exchange: Exchange, log: Logger, metrics: HttpMetrics, tracer: Tracer | null): void {
  exchange.res.once('close', () => {
    const { req, res, route, principal } = exchange;
    const durationMs = performance.now() - exchange.startedAt;
    metrics.observe(req.method, route, res.statusCode, durationMs);
    if (tracer !== null) recordSpan(exchange, tracer);
    const level = res.statusCode >= 500 ? 'error' : 'info';
    if (!log.enabled(level)) return;
    log.log(level, null, 'request finished', {
      method: req.method,
      route: route?.path,
      path: exchange.path.length > MAX_PATH ? `${exchange.path.slice(0, MAX_PATH)}…` : exchange.path,
      status: res.statusCode,
      duration_ms: Math.round(durationMs * 1000) / 1000,
      trace_id: exchange.traceId,
      span_id: exchange.spanId,
      user_id: principal?.userId,
      tenant_id: principal?.tenantId,
      workflow_id: exchange.workflowId ?? undefined,
      run_id: exchange.runId ?? undefined,
      'error.code': exchange.errorCode ?? undefined,
      client_gone: res.writableFinished ? undefined : true,
    });
  });
}

/** Probes and scrapes are no part of anybody's trace. */
const UNTRACED = new Set(['/healthz', '/readyz', '/health', '/metrics']);

function recordSpan(exchange: Exchange, tracer: Tracer): void {
  const { req, res, route, principal } = exchange;
  if (UNTRACED.has(exchange.path)) return;
  const failed = res.statusCode >= 500;
  tracer.record({
    name: route === null ? (req.method ?? 'HTTP') : `${route.method} ${route.path}`,
    kind: 'server',
    traceId: exchange.traceId,
    spanId: exchange.spanId,
    parentSpanId: exchange.parentSpanId,
    sampled: exchange.sampled,
    start: exchange.startedAt,
    end: performance.now(),
    attributes: {
      'http.request.method': req.method,
      'http.route': route?.path,
      'url.path': exchange.path.slice(0, MAX_PATH),
      'http.response.status_code': res.statusCode,
      'goflow.tenant_id': principal?.tenantId,
      'goflow.workflow_id': exchange.workflowId ?? undefined,
      'goflow.run_id': exchange.runId ?? undefined,
    },
    error: failed ? { code: exchange.errorCode ?? String(res.statusCode), message: 'the request failed' } : null,
  });
}
