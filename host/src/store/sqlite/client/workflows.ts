import type { WorkflowRecord } from '../../../core/records.ts';
import type { WorkflowStore } from '../../store.ts';
import type { WorkflowRow } from '../rows.ts';
import type { StoreConnection } from './connection.ts';
import { readSeqCursor, toPage } from './cursor.ts';
import { checkLimit, fromMs, parsed, toMs } from './values.ts';

export function workflowStore(connection: StoreConnection): WorkflowStore {
  return {
    async create(ctx, workflow) {
      const version = await connection.call(ctx, 'workflows.create', toRow(workflow));
      return version === workflow.version ? workflow : { ...workflow, version };
    },
    async update(ctx, workflow, expectedVersion) {
      await connection.call(ctx, 'workflows.update', { row: toRow(workflow), expectedVersion });
    },
    async setActive(ctx, tenantId, id, active) {
      const row = await connection.call(ctx, 'workflows.setActive', { tenantId, id, active });
      return row === null ? null : fromWorkflowRow(row);
    },
    async get(ctx, tenantId, id, version) {
      const row = await connection.call(ctx, 'workflows.get', { tenantId, id, version: version ?? null });
      return row === null ? null : fromWorkflowRow(row);
    },
    async findById(ctx, id) {
      const rows = await connection.call(ctx, 'workflows.findById', id);
      return rows.map((row) => fromWorkflowRow(row));
    },
    async list(ctx, tenantId, { limit, cursor }) {
      const range = { tenantId, limit: checkLimit(limit), below: readSeqCursor('workflows', cursor) };
      return toPage('workflows', await connection.call(ctx, 'workflows.list', range), fromWorkflowRow);
    },
    async delete(ctx, tenantId, id) {
      return connection.call(ctx, 'workflows.delete', { tenantId, id });
    },
  };
}

function toRow(workflow: WorkflowRecord): WorkflowRow {
  return [
    workflow.id,
    workflow.tenant_id,
    workflow.version,
    workflow.is_active ? 1 : 0,
    toMs(workflow.created_at),
    workflow.name,
    JSON.stringify(workflow.definition),
    toMs(workflow.updated_at),
  ];
}

export function fromWorkflowRow([
  id,
  tenantId,
  version,
  isActive,
  createdAt,
  name,
  definition,
  updatedAt,
]: WorkflowRow): WorkflowRecord {
  return {
    id,
    tenant_id: tenantId,
    version,
    name,
    is_active: isActive !== 0,
    definition: parsed(definition),
    created_at: fromMs(createdAt),
    updated_at: fromMs(updatedAt),
  };
}
