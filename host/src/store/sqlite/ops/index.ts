import type { Db } from '../db.ts';
import { appendAudit, listAudit } from './audit.ts';
import { createCredential, credentialsForPlugin, deleteCredential, listCredentials } from './credentials.ts';
import { findIdempotency } from './idempotency.ts';
import { anyKey, createKey, deleteKey, findKeyByHash, listKeys } from './keys.ts';
import {
  addPluginVersion,
  listPluginSettings,
  listPluginVersions,
  putPluginSettings,
  removePluginVersions,
} from './plugins.ts';
import { pruneRuns } from './retention.ts';
import { listRuns } from './run-list.ts';
import { appendLogs, readLogs } from './run-logs.ts';
import { acceptRun, finishRun, getInternals, getRun, noteEnding, saveSteps, startRun, unfinishedRuns } from './runs.ts';
import { listSchedules, setLastTick } from './schedules.ts';
import { deleteStorage, getStorage, listStorage, setStorage } from './storage.ts';
import { addVaultKey, getVaultKey, listVaultKeys, replaceVaultKeys } from './vault-keys.ts';
import {
  createWorkflow,
  deleteWorkflow,
  findWorkflowsById,
  getWorkflow,
  listWorkflows,
  setWorkflowActive,
  updateWorkflow,
} from './workflows.ts';

/** Every operation of the store thread. The client knows these tables by their types alone. */

export const READS = {
  ping: (db: Db, _args: null): void => void db.row('SELECT count(*) FROM sqlite_schema'),
  'workflows.get': getWorkflow,
  'workflows.findById': findWorkflowsById,
  'workflows.list': listWorkflows,
  'runs.get': getRun,
  'runs.internals': getInternals,
  'runs.list': listRuns,
  'runs.logs': readLogs,
  'runs.unfinished': unfinishedRuns,
  'runs.findIdempotency': findIdempotency,
  'plugins.listVersions': (db: Db, _args: null) => listPluginVersions(db),
  'plugins.listSettings': (db: Db, _args: null) => listPluginSettings(db),
  'credentials.list': listCredentials,
  'credentials.forPlugin': credentialsForPlugin,
  'keys.findByHash': findKeyByHash,
  'keys.list': listKeys,
  'keys.any': (db: Db, _args: null) => anyKey(db),
  'audit.list': listAudit,
  'schedules.list': listSchedules,
  'storage.get': getStorage,
  'storage.list': listStorage,
  'vaultKeys.get': getVaultKey,
  'vaultKeys.list': (db: Db, _args: null) => listVaultKeys(db),
} as const;

/** Carried out in the transaction of their batch. */
export const WRITES = {
  /** Writes something that changes nothing. */
  probe: (db: Db, _args: null): void => {
    const [version] = db.row<readonly [number]>('PRAGMA user_version') ?? [0];
    db.connection.pragma(`user_version = ${version}`);
  },
  'workflows.create': createWorkflow,
  'workflows.update': updateWorkflow,
  'workflows.setActive': setWorkflowActive,
  'workflows.delete': deleteWorkflow,
  'runs.accept': acceptRun,
  'runs.start': startRun,
  'runs.saveStep': saveSteps,
  'runs.finish': finishRun,
  'runs.noteEnding': noteEnding,
  'runs.appendLogs': appendLogs,
  'runs.prune': pruneRuns,
  'plugins.addVersion': addPluginVersion,
  'plugins.removeVersions': removePluginVersions,
  'plugins.putSettings': putPluginSettings,
  'credentials.create': createCredential,
  'credentials.delete': deleteCredential,
  'keys.create': createKey,
  'keys.delete': deleteKey,
  'audit.append': appendAudit,
  'schedules.setLast': setLastTick,
  'storage.set': setStorage,
  'storage.delete': deleteStorage,
  'vaultKeys.add': addVaultKey,
  'vaultKeys.replaceAll': replaceVaultKeys,
} as const;

type Operations = typeof READS & typeof WRITES;
export type OpName = keyof Operations;
export type OpArgs<Name extends OpName> = Parameters<Operations[Name]>[1];
export type OpResult<Name extends OpName> = ReturnType<Operations[Name]>;
