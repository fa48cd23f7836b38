import { isGeneratedId } from '../../../core/generated-id.ts';
import type { Db } from '../db.ts';
import { Refusal } from '../failure.ts';
import type { SeqPage, SeqRange, WorkflowRow } from '../rows.ts';
import { seqPage } from './seq-page.ts';

export const COLUMNS = 'w.id, w.tenant_id, v.version, w.is_active, v.created_at, v.name, v.definition, v.updated_at';
export const CURRENT = `FROM workflows w JOIN workflow_versions v
  ON v.workflow_id = w.id AND v.tenant_id = w.tenant_id AND v.version = w.version`;

/** Answers the version that was written: that of a deleted workflow's id goes on where it ended, so that its runs keep theirs. */
export function createWorkflow(db: Db, row: WorkflowRow): number {
  const [id, tenantId, wanted, isActive, createdAt] = row;
  if (db.row('SELECT 1 FROM workflows WHERE id = ? AND tenant_id = ?', [id, tenantId]) !== null) {
    throw new Refusal('CONFLICT', `workflow id "${id}" is taken`);
  }
  // Nobody comes upon an id that a host made by chance: whoever names another tenant's has it from there.
  if (isGeneratedId('wf', id) && db.row('SELECT 1 FROM workflows WHERE id = ?', [id]) !== null) {
    throw new Refusal('NOT_FOUND', `there is no workflow ${id}`);
  }
  const last = db.row<readonly [number | null]>(
    'SELECT max(version) FROM workflow_versions WHERE workflow_id = ? AND tenant_id = ?',
    [id, tenantId],
  );
  const version = Math.max(wanted, (last?.[0] ?? 0) + 1);
  db.change('INSERT INTO workflows (id, tenant_id, version, is_active, created_at) VALUES (?, ?, ?, ?, ?)', [
    id,
    tenantId,
    version,
    isActive,
    createdAt,
  ]);
  insertVersion(db, row, version);
  return version;
}

export function updateWorkflow(db: Db, args: { readonly row: WorkflowRow; readonly expectedVersion: number }): void {
  const [id, tenantId, version, isActive] = args.row;
  const current = db.row<readonly [number]>('SELECT version FROM workflows WHERE id = ? AND tenant_id = ?', [
    id,
    tenantId,
  ]);
  if (current === null) throw new Refusal('CONFLICT', `workflow "${id}" is not there any more`);
  if (current[0] !== args.expectedVersion) {
    throw new Refusal(
      'CONFLICT',
      `workflow "${id}" has version ${current[0]} by now, not ${args.expectedVersion}; read it again`,
    );
  }
  insertVersion(db, args.row, version);
  db.change('UPDATE workflows SET version = ?, is_active = ? WHERE id = ? AND tenant_id = ?', [
    version,
    isActive,
    id,
    tenantId,
  ]);
}

function insertVersion(db: Db, row: WorkflowRow, version: number): void {
  const [id, tenantId, , , createdAt, name, definition, updatedAt] = row;
  db.change(
    `INSERT INTO workflow_versions (tenant_id, workflow_id, version, name, definition, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    [tenantId, id, version, name, definition, createdAt, updatedAt],
  );
}

export interface WorkflowKey {
  readonly tenantId: string;
  readonly id: string;
}

export function setWorkflowActive(db: Db, args: WorkflowKey & { readonly active: boolean }): WorkflowRow | null {
  const changed = db.change('UPDATE workflows SET is_active = ? WHERE id = ? AND tenant_id = ?', [
    args.active ? 1 : 0,
    args.id,
    args.tenantId,
  ]);
  return changed === 0 ? null : getWorkflow(db, { ...args, version: null });
}

export function getWorkflow(db: Db, args: WorkflowKey & { readonly version: number | null }): WorkflowRow | null {
  if (args.version === null) {
    return db.row<WorkflowRow>(`SELECT ${COLUMNS} ${CURRENT} WHERE w.id = ? AND w.tenant_id = ?`, [
      args.id,
      args.tenantId,
    ]);
  }
  // A deleted workflow reads as not active.
  return db.row<WorkflowRow>(
    `SELECT v.workflow_id, v.tenant_id, v.version, ifnull(w.is_active, 0), v.created_at, v.name, v.definition, v.updated_at
     FROM workflow_versions v LEFT JOIN workflows w ON w.id = v.workflow_id AND w.tenant_id = v.tenant_id
     WHERE v.workflow_id = ? AND v.tenant_id = ? AND v.version = ?`,
    [args.id, args.tenantId, args.version],
  );
}

export function findWorkflowsById(db: Db, id: string): readonly WorkflowRow[] {
  return db.rows<WorkflowRow>(`SELECT ${COLUMNS} ${CURRENT} WHERE w.id = ? ORDER BY w.seq`, [id]);
}

export function listWorkflows(db: Db, range: SeqRange): SeqPage<WorkflowRow> {
  return seqPage<WorkflowRow>(db, `SELECT w.seq, ${COLUMNS} ${CURRENT} WHERE w.tenant_id = ?`, 'w.seq', range);
}

export function deleteWorkflow(db: Db, args: WorkflowKey): boolean {
  const deleted = db.change('DELETE FROM workflows WHERE id = ? AND tenant_id = ?', [args.id, args.tenantId]) > 0;
  // A new workflow under this id must not answer with runs of the old one.
  if (deleted) {
    db.change('DELETE FROM idempotency WHERE tenant_id = ? AND workflow_id = ?', [args.tenantId, args.id]);
    db.change('DELETE FROM schedules WHERE tenant_id = ? AND workflow_id = ?', [args.tenantId, args.id]);
  }
  return deleted;
}
