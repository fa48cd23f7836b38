import type { RequestListener } from 'node:http';
import Koa from 'koa';
import { GoflowError } from '../core/errors.ts';
import { contextOf, newCall } from './call.ts';
import type { Exchange } from './exchange.ts';
import { createHttpMetrics } from './metrics.ts';
import type { HttpMetrics } from './metrics.ts';
import { logWhenFinished } from './middleware/access-log.ts';
import { recordDone, recordFailed } from './middleware/audit.ts';
import { admit, guardWhenOpen } from './middleware/authenticate.ts';
import { readRequestBody } from './middleware/body.ts';
import { sendProblem } from './middleware/problem.ts';
import { beginExchange } from './middleware/trace.ts';
import { parseQuery } from './query.ts';
import { empty, send } from './reply.ts';
import type { Route } from './route.ts';
import { createRouter } from './router.ts';
import type { Match, Router } from './router.ts';
import { allRoutes } from './routes/index.ts';
import type { HttpServices } from './services.ts';

export interface HttpApp {
  readonly app: Koa;
  callback(): RequestListener;
  /** Ends the streams that would otherwise hold a closing server open, and closes each connection after its answer. */
  drain(): void;
}

/**
 * The REST API. A request passes, in this order: trace, access log, route, key, host guard, role, query, body, the route's own work; anything
 * thrown on the way becomes a problem document. These are plain calls in one Koa middleware: each layer of its own costs every request an
 * async frame.
 */
export function createHttpApp(services: HttpServices): HttpApp {
  const metrics = createHttpMetrics();
  const router = createRouter([...allRoutes(metrics), ...(services.extraRoutes ?? [])]);
  const closing = new AbortController();
  const app = new Koa();
  app.use(async (koa) => {
    // The answer is written here; Koa must not add one of its own.
    koa.respond = false;
    await handle(services, router, metrics, closing.signal, beginExchange(koa.req, koa.res));
  });
  // What Koa reports here comes after an answer (a socket that broke): the access log has it already.
  app.on('error', (error: unknown) => services.log.debug(null, 'connection error', { 'error.message': String(error) }));
  return { app, callback: () => app.callback(), drain: () => closing.abort(new Error('the host is shutting down')) };
}

async function handle(
  services: HttpServices,
  router: Router,
  metrics: HttpMetrics,
  closing: AbortSignal,
  exchange: Exchange,
): Promise<void> {
  logWhenFinished(exchange, services.log, metrics, services.tracer ?? null);
  exchange.closes = closing.aborted;
  try {
    requireHost(exchange);
    const match = router.find(exchange.req.method ?? 'GET', exchange.path);
    if (match.kind === 'route') await answer(services, closing, exchange, match.route, match.params);
    else {
      await guardWhenOpen(services, exchange);
      refuse(services, exchange, match);
    }
  } catch (error) {
    await recordFailed(services, exchange, error);
    closeIfBodyUnsent(exchange, error);
    sendProblem(exchange, error, services.log);
  }
}

async function answer(
  services: HttpServices,
  closing: AbortSignal,
  exchange: Exchange,
  route: Route,
  params: Readonly<Record<string, string>>,
): Promise<void> {
  exchange.route = route;
  exchange.target = params['id'] ?? params['name'] ?? null;
  const principal = await admit(services, exchange, route);
  const query = parseQuery(route.query, exchange.search);
  const body = await readRequestBody(exchange.req, exchange.res, route.body, services.config.maxBody);
  const call = newCall(exchange, contextOf(exchange, principal), principal, params, query, body, closing);
  const reply = await route.handle(services, call);
  if (route.audit !== undefined) await recordDone(services, exchange, call, reply);
  send(exchange, reply);
}

function refuse(services: HttpServices, exchange: Exchange, match: Exclude<Match, { kind: 'route' }>): void {
  if (match.kind === 'none') {
    throw new GoflowError(
      'NOT_FOUND',
      `there is no route ${JSON.stringify(exchange.path.slice(0, 200))}; GET /docs lists those that exist`,
    );
  }
  const allow = match.allow.join(', ');
  if (exchange.req.method === 'OPTIONS') return send(exchange, empty(204, 'Allow', allow));
  const error = new GoflowError(
    'METHOD_NOT_ALLOWED',
    `${exchange.req.method} is not allowed here; allowed are ${allow}`,
  );
  sendProblem(exchange, error, services.log, ['Allow', allow]);
}

/** RFC 9112: a request of HTTP/1.1 that names no host, or more than one, is malformed. */
function requireHost({ req }: Exchange): void {
  // `headers` holds the first one only.
  let hosts = 0;
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    const name = req.rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  if (hosts > 1) throw new GoflowError('BAD_REQUEST', 'the request has more than one Host header');
  if (req.headers.host === undefined && req.httpVersion === '1.1') {
    throw new GoflowError('BAD_REQUEST', 'the request has no Host header');
  }
}

/** A client that waits for `100 Continue` and is refused does not send its body, and one that dribbles is not waited for: the connection cannot be used again. */
function closeIfBodyUnsent(exchange: Exchange, error: unknown): void {
  const dribbles = error instanceof GoflowError && error.code === 'REQUEST_TIMEOUT';
  if (dribbles || exchange.req.headers.expect !== undefined) exchange.closes = true;
}
