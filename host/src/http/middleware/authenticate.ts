import { authorize } from '../../auth/permissions.ts';
import { OPEN_PRINCIPAL } from '../../auth/principal.ts';
import type { Principal } from '../../auth/principal.ts';
import { GoflowError } from '../../core/errors.ts';
import { contextOf } from '../call.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';
import type { HttpServices } from '../services.ts';
import { guardLoopback } from './host-guard.ts';

/** Stands for the caller of a public route. */
export const ANONYMOUS: Principal = {
  keyId: null,
  tenantId: 'default',
  userId: 'anonymous',
  role: 'viewer',
  hostWide: false,
};

/**
 * Who sends the request, when they may do what the route does. Throws UNAUTHENTICATED, RATE_LIMITED, FORBIDDEN (before anyone has looked whether the thing
 * exists) and, when the host runs open, FOREIGN_ORIGIN.
 */
export async function admit(services: HttpServices, exchange: Exchange, route: Route): Promise<Principal> {
  if (route.act === 'public') {
    if (route.anyHost !== true) await guardWhenOpen(services, exchange);
    return ANONYMOUS;
  }
  const { authorization, 'x-tenant-id': tenant } = exchange.req.headers;
  const ctx = contextOf(exchange, ANONYMOUS);
  const principal = await services.auth.authenticate(
    ctx,
    authorization,
    typeof tenant === 'string' ? tenant : undefined,
    exchange.req.socket.remoteAddress,
  );
  if (principal === OPEN_PRINCIPAL) guardLoopback(exchange.req);
  exchange.principal = principal;
  services.rateLimits?.take(principal, exchange);
  authorize(principal, route.act);
  if (route.hostWide === true && !principal.hostWide) {
    throw new GoflowError('FORBIDDEN', 'this is of the whole host, not of a tenant; use the bootstrap key');
  }
  return principal;
}

/** For requests that nobody is asked a key for. */
export async function guardWhenOpen(services: HttpServices, exchange: Exchange): Promise<void> {
  if ((await services.auth.mode(contextOf(exchange, ANONYMOUS))) === 'open') guardLoopback(exchange.req);
}
