import type { Logger } from '../../core/log.ts';
import type { Exchange } from '../exchange.ts';
import type { HttpMetrics } from '../metrics.ts';

const MAX_PATH = 512;

/** One line per finished request: when its last byte was handed over, or the client went. Never the query, never a body. */
export function logWhenFinished(exchange: Exchange, log: Logger, metrics: HttpMetrics): void {
  exchange.res.once('close', () => {
    const { req, res, route, principal } = exchange;
    const durationMs = performance.now() - exchange.startedAt;
    metrics.observe(req.method, route, res.statusCode, durationMs);
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
