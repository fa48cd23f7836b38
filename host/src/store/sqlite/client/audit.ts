import type { AuditRecord, Role } from '../../../core/records.ts';
import type { AuditStore } from '../../store.ts';
import type { AuditRow } from '../rows.ts';
import type { StoreConnection } from './connection.ts';
import { readSeqCursor, toPage } from './cursor.ts';
import { checkLimit, fromMs, jsonOrNull, parsedOrNull, toMs } from './values.ts';

export function auditStore(connection: StoreConnection): AuditStore {
  return {
    async append(ctx, record) {
      // It tells what has happened: that the caller's time is over does not matter.
      await connection.call(
        { ...ctx, signal: null, deadline: Number.POSITIVE_INFINITY },
        'audit.append',
        toRow(record),
      );
    },
    async list(ctx, tenantId, filter) {
      const { limit, cursor, since, until, actor, action } = filter;
      const page = await connection.call(ctx, 'audit.list', {
        tenantId,
        limit: checkLimit(limit),
        below: readSeqCursor('audit', cursor),
        since: since === undefined ? null : toMs(since),
        until: until === undefined ? null : toMs(until),
        actor: actor ?? null,
        action: action ?? null,
      });
      return toPage('audit', page, fromRow);
    },
  };
}

function toRow(record: AuditRecord): AuditRow {
  const { id, time, tenant_id, actor, action, target, outcome, code, trace_id, details } = record;
  return [
    id,
    toMs(time),
    tenant_id,
    actor.user_id,
    actor.key_id,
    actor.role,
    action,
    target,
    outcome,
    code,
    trace_id,
    jsonOrNull(details),
  ];
}

function fromRow(row: AuditRow): AuditRecord {
  const [id, at, tenantId, userId, keyId, role, action, target, outcome, code, traceId, details] = row;
  return {
    id,
    time: fromMs(at),
    tenant_id: tenantId,
    actor: { user_id: userId, key_id: keyId, role: role as Role },
    action,
    target,
    outcome: outcome as AuditRecord['outcome'],
    code,
    trace_id: traceId,
    details: parsedOrNull(details),
  };
}
