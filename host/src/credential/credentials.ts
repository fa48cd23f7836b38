import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Context } from '../core/context.ts';
import { GoflowError, messageOf } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import type { CredentialRecord, Page } from '../core/records.ts';
import type { Plugins } from '../plugin/types.ts';
import type { PageRequest, Store } from '../store/store.ts';
import type { Vault } from '../vault/vault.ts';
import { parseCredentialBody } from './credential-body.ts';
import { createCredentialCache } from './credential-cache.ts';

/** A credential without its values. */
export interface CredentialInfo extends CredentialRecord {
  /** Names of its values, sorted. */
  readonly fields: readonly string[];
}

export interface ResolvedCredential {
  readonly id: string;
  readonly name: string;
  /** In clear text. The same object as long as it is cached, so that what is derived of it can be kept with it. */
  readonly values: JsonObject;
}

/** The credentials of tenants: values go in, are sealed, and come out for a plugin's calls alone. */
export interface Credentials {
  /**
   * `body`: `{ name, plugin, values }` or the original's `{ service_name, api_key }`, unchecked. A plugin's first credential is its default.
   * Throws VALIDATION_FAILED, and CONFLICT when the plugin has one of that name.
   */
  create(ctx: Context, body: JsonValue): Promise<CredentialInfo>;
  list(ctx: Context, page: PageRequest): Promise<Page<CredentialInfo>>;
  /** Throws NOT_FOUND. */
  delete(ctx: Context, id: string): Promise<void>;
  /** What the API shows: names, never a value. */
  view(credential: CredentialRecord): JsonObject;
  /**
   * What a call of `plugin` is given: the credential of that name (or id), else the tenant's only or default one. Null where there is
   * none, or where several are and none is the default. Rejects when the context ends before the store was asked.
   */
  resolve(
    ctx: Context,
    wanted: { readonly plugin: string; readonly name?: string },
  ): Promise<ResolvedCredential | null>;
}

export interface CredentialsOptions {
  readonly store: Pick<Store, 'credentials'>;
  readonly vault: Pick<Vault, 'seal' | 'open'>;
  readonly plugins: Pick<Plugins, 'find'>;
  /** The logger of the component `auth`. */
  readonly log: Logger;
}

export function createCredentials(options: CredentialsOptions): Credentials {
  const { store, vault, plugins, log } = options;
  const cache = createCredentialCache(
    (ctx, plugin) => store.credentials.forPlugin(ctx, ctx.tenantId, plugin),
    openRecord,
  );

  /** Throws INTERNAL when the values cannot be opened: another master key, or a row that was tampered with. */
  async function openRecord(record: CredentialRecord): Promise<JsonObject> {
    try {
      return JSON.parse(await vault.open(record.tenant_id, record.sealed, purposeOf(record.id))) as JsonObject;
    } catch (error) {
      throw new GoflowError('INTERNAL', `the credential ${record.id} cannot be opened; was the master key changed?`, {
        cause: error,
      });
    }
  }

  async function describe(ctx: Context, record: CredentialRecord): Promise<CredentialInfo> {
    try {
      return { ...record, fields: Object.keys(await openRecord(record)).sort() };
    } catch (error) {
      log.error(ctx, 'credential cannot be opened', { credential_id: record.id, 'error.message': messageOf(error) });
      return { ...record, fields: [] };
    }
  }

  return {
    async create(ctx, body) {
      const { name, plugin, values } = parseCredentialBody(body, (wanted) => plugins.find(ctx.tenantId, wanted));
      const others = await store.credentials.forPlugin(ctx, ctx.tenantId, plugin);
      const id = newId('cred');
      const record: CredentialRecord = {
        id,
        tenant_id: ctx.tenantId,
        name,
        plugin,
        sealed: await vault.seal(ctx.tenantId, JSON.stringify(values), purposeOf(id)),
        is_default: others.length === 0,
        created_at: new Date().toISOString(),
      };
      await store.credentials.create(ctx, record);
      cache.drop(ctx.tenantId, id);
      log.info(ctx, 'credential created', { credential_id: id, plugin });
      return { ...record, fields: Object.keys(values).sort() };
    },
    async list(ctx, page) {
      const { items, next_cursor } = await store.credentials.list(ctx, ctx.tenantId, page);
      return { items: await Promise.all(items.map((record) => describe(ctx, record))), next_cursor };
    },
    async delete(ctx, id) {
      const deleted = await store.credentials.delete(ctx, ctx.tenantId, id);
      cache.drop(ctx.tenantId, id);
      if (!deleted) throw new GoflowError('NOT_FOUND', `there is no credential ${id}`);
      log.info(ctx, 'credential deleted', { credential_id: id });
    },
    view(credential) {
      const { id, name, plugin, is_default, created_at } = credential;
      const fields = 'fields' in credential ? (credential as CredentialInfo).fields : [];
      return { id, name, plugin, is_default, created_at, fields };
    },
    async resolve(ctx, { plugin, name }) {
      const records = await cache.ofPlugin(ctx, plugin);
      const record = name === undefined ? chosen(records) : records.find((one) => one.name === name || one.id === name);
      if (record === undefined) return null;
      return { id: record.id, name: record.name, values: await cache.valuesOf(record) };
    },
  };
}

/** The only one, else the default: of two that were made first at the same moment, the older. */
function chosen(records: readonly CredentialRecord[]): CredentialRecord | undefined {
  if (records.length === 1) return records[0];
  return records.filter(({ is_default }) => is_default).sort((a, b) => (a.id < b.id ? -1 : 1))[0];
}

/** Sealed for this record alone: a row whose sealed values were exchanged for another's does not open. */
function purposeOf(id: string): string {
  return `credential:${id}`;
}
