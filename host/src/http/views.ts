import type { ActionManifest, JsonObject } from '@goflow/plugin-sdk/contract';
import type { AuditRecord, KeyRecord, RunRecord } from '../core/records.ts';
import type { InstallResult, LoadedPlugin } from '../plugin/types.ts';

/** What the API shows of stored things. Built member by member, so that a new secret member of a record does not show by itself. */

export function keyView(key: KeyRecord): JsonObject {
  const { id, name, role, tenant_id, user_id, created_at, expires_at } = key;
  return { id, name, role, tenant_id, user_id, created_at, expires_at };
}

export function auditView(record: AuditRecord): JsonObject {
  const { id, time, tenant_id, actor, action, target, outcome, code, trace_id, details } = record;
  return { id, time, tenant_id, actor: { ...actor }, action, target, outcome, code, trace_id, details };
}

export interface ListedAction {
  readonly plugin: LoadedPlugin;
  readonly id: string;
  readonly action: ActionManifest;
}

export function actionView({ plugin, id, action }: ListedAction): unknown {
  const { manifest } = plugin;
  return {
    id,
    name: `${manifest.name}/${id}`,
    plugin: manifest.name,
    plugin_version: manifest.version,
    title: action.title ?? null,
    description: action.description ?? null,
    input: action.input ?? true,
    output: action.output ?? true,
    timeout_ms: action.timeout_ms ?? null,
    idempotent: action.idempotent ?? true,
    needs_credential: manifest.credential !== undefined,
  };
}

export function installView(result: InstallResult): unknown {
  const { manifest, digest, state, permissions_to_grant } = result;
  return { name: manifest.name, version: manifest.version, state, digest, permissions_to_grant, manifest };
}

/** The answer to a trigger whose run has not ended. */
export function acceptedView(run: RunRecord): JsonObject {
  return { run_id: run.id, workflow_id: run.workflow_id, status: run.status, trace_id: run.trace_id };
}
