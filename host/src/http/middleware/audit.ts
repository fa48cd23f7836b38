import type { JsonObject } from '@goflow/plugin-sdk/contract';
import { LEAST_ROLE } from '../../auth/permissions.ts';
import type { Context } from '../../core/context.ts';
import { GoflowError, messageOf, type HostErrorCode } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import type { AuditRecord } from '../../core/records.ts';
import { contextOf } from '../call.ts';
import type { Exchange } from '../exchange.ts';
import type { Reply } from '../reply.ts';
import type { AuditedAct, Call, Route } from '../route.ts';
import type { HttpServices } from '../services.ts';

/** Too frequent to be worth a line that is kept for ever, or no act at all. */
const NOT_RECORDED = new Set(['RATE_LIMITED', 'UNAUTHENTICATED', 'FOREIGN_ORIGIN']);

/** Records an administrative act that was carried out: after it is durable, before anybody is told. Throws when it cannot be recorded. */
export async function recordDone(services: HttpServices, exchange: Exchange, call: Call, reply: Reply): Promise<void> {
  const audit = exchange.route?.audit;
  if (audit === undefined) return;
  const act = audit.describe(call, reply.kind === 'json' ? (reply.body as JsonObject) : {}, reply);
  await append(services, exchange, call.ctx, audit.action, act, 'succeeded', null);
}

/** Records the attempt of an administrative act that failed, or that the role did not allow. Never throws: the caller is told what went wrong first. */
export async function recordFailed(services: HttpServices, exchange: Exchange, thrown: unknown): Promise<void> {
  const { route, principal, target } = exchange;
  if (route === null || principal === null || route.act === 'public') return;
  const code = thrown instanceof GoflowError ? thrown.code : 'INTERNAL';
  const denied = code === 'FORBIDDEN';
  if (NOT_RECORDED.has(code) || (route.audit === undefined && !(denied && isAdministrative(route)))) return;
  try {
    const ctx = contextOf(exchange, principal);
    const action = route.audit?.action ?? route.act;
    await append(services, exchange, ctx, action, { target }, denied ? 'denied' : 'failed', code);
  } catch (error) {
    const fields = { trace_id: exchange.traceId, 'error.code': code, 'error.message': messageOf(error) };
    services.log.error(null, 'audit record lost', fields);
  }
}

function isAdministrative({ act }: Route): boolean {
  return act !== 'public' && LEAST_ROLE[act] === 'admin';
}

async function append(
  services: HttpServices,
  exchange: Exchange,
  ctx: Context,
  action: string,
  act: AuditedAct,
  outcome: AuditRecord['outcome'],
  code: HostErrorCode | null,
): Promise<void> {
  const principal = exchange.principal;
  if (principal === null) return;
  await services.store.audit.append(ctx, {
    id: newId('aud'),
    time: new Date().toISOString(),
    tenant_id: act.tenantId ?? principal.tenantId,
    actor: { user_id: principal.userId, key_id: principal.keyId, role: principal.role },
    action: act.action ?? action,
    target: act.target === null ? null : act.target.slice(0, MAX_TARGET),
    outcome,
    code,
    trace_id: exchange.traceId,
    details: act.details ?? null,
  });
}

const MAX_TARGET = 200;
