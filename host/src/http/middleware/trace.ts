import type { IncomingMessage, ServerResponse } from 'node:http';
import { newSpanId, newTraceId, parseTraceparent } from '../../core/context.ts';
import type { Exchange } from '../exchange.ts';

/** Begins the trace of a request: the caller's, where `traceparent` is well formed, else a new one. Everything after has an exchange to name. */
export function beginExchange(req: IncomingMessage, res: ServerResponse): Exchange {
  const header = req.headers['traceparent'];
  const caller = typeof header === 'string' ? parseTraceparent(header) : null;
  const target = originForm(req.url ?? '/');
  const mark = target.indexOf('?');
  return {
    req,
    res,
    traceId: caller?.traceId ?? newTraceId(),
    spanId: newSpanId(),
    parentSpanId: caller?.parentSpanId ?? null,
    sampled: caller?.sampled ?? true,
    startedAt: performance.now(),
    path: mark === -1 ? target : target.slice(0, mark),
    search: mark === -1 ? '' : target.slice(mark + 1),
    route: null,
    principal: null,
    closes: false,
    errorCode: null,
    workflowId: null,
    runId: null,
    target: null,
    rateLimit: null,
  };
}

/** Proxies send the absolute form (`GET http://host/path`); its path is what counts. */
function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const authority = target.indexOf('://');
  if (authority === -1) return `/${target}`;
  const path = target.indexOf('/', authority + 3);
  return path === -1 ? '/' : target.slice(path);
}
