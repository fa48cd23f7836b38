import type { JsonValue } from '@goflow/plugin-sdk/contract';
import type { Context } from '../core/context.ts';
import { GoflowError, type Problem, validationError } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { type KeyRecord, type Page, type Role, ROLES } from '../core/records.ts';
import type { PageRequest, Store } from '../store/store.ts';
import { hashKey, newKeyText, sameHash } from './key-text.ts';
import { type Principal, TENANT_ID } from './principal.ts';

export interface Keys {
  /** `body`: `{ name, role, tenant_id?, user_id?, expires_at? }`, unchecked. The answer holds the key itself, this once. Throws VALIDATION_FAILED, FORBIDDEN. */
  create(
    ctx: Context,
    principal: Principal,
    body: JsonValue,
  ): Promise<{ readonly record: KeyRecord; readonly key: string }>;
  /** Those of the context's tenant. */
  list(ctx: Context, page: PageRequest): Promise<Page<KeyRecord>>;
  /** Throws NOT_FOUND. From when it resolves on, the key opens nothing. */
  delete(ctx: Context, id: string): Promise<void>;
}

/** Keys, and who holds them. */
export interface KeyRing extends Keys {
  /** Null: unknown or revoked; a key that has expired is answered as it is. Known ones are answered without waiting. `name` is the hash as text. */
  verify(ctx: Context, hash: Buffer, name: string): KeyRecord | null | Promise<KeyRecord | null>;
  /** Whether any key exists, of any tenant. */
  any(ctx: Context): Promise<boolean>;
}

/** How long a verified key is believed without asking the store again: so long another host of the same store may not know of a revocation. */
const TRUST_MS = 1000;
const MOST_TRUSTED = 10_000;
const USER_ID = /^[A-Za-z0-9_.@:+-]{1,128}$/;
const FIELDS = ['name', 'role', 'tenant_id', 'user_id', 'expires_at'];

export function createKeyRing(store: Pick<Store, 'keys'>, log: Logger): KeyRing {
  const trusted = new Map<string, { readonly record: KeyRecord; readonly until: number }>();
  /** Counts keys made and revoked: what was looked up before such a change is not believed after it. */
  let changes = 0;
  let exists: { readonly value: boolean; readonly until: number } | null = null;

  async function lookUp(ctx: Context, hash: Buffer, name: string): Promise<KeyRecord | null> {
    const before = changes;
    const record = await store.keys.findByHash(ctx, hash);
    if (record === null || !sameHash(record.hash, hash)) return null;
    if (before === changes) {
      if (trusted.size >= MOST_TRUSTED) trusted.clear();
      trusted.set(name, { record, until: performance.now() + TRUST_MS });
    }
    return record;
  }

  return {
    verify(ctx, hash, name) {
      const known = trusted.get(name);
      if (known !== undefined && performance.now() < known.until) return known.record;
      return lookUp(ctx, hash, name);
    },
    async any(ctx) {
      if (exists !== null && performance.now() < exists.until) return exists.value;
      const before = changes;
      const value = await store.keys.any(ctx);
      if (before === changes) exists = { value, until: performance.now() + TRUST_MS };
      return value;
    },
    async create(ctx, principal, body) {
      const wanted = parseBody(body);
      const tenantId = wanted.tenant_id ?? principal.tenantId;
      if (tenantId !== principal.tenantId && !principal.hostWide) {
        throw new GoflowError(
          'FORBIDDEN',
          `only the bootstrap key makes keys of another tenant than ${principal.tenantId}`,
        );
      }
      const id = newId('key');
      const key = newKeyText(wanted.role);
      const record: KeyRecord = {
        id,
        name: wanted.name,
        role: wanted.role,
        tenant_id: tenantId,
        user_id: wanted.user_id ?? id,
        hash: hashKey(key),
        created_at: new Date().toISOString(),
        expires_at: wanted.expires_at === undefined ? null : new Date(wanted.expires_at).toISOString(),
      };
      await store.keys.create(ctx, record);
      changes += 1;
      exists = null;
      log.info(ctx, 'key created', { key_id: id, role: record.role, key_tenant_id: tenantId });
      return { record, key };
    },
    list: (ctx, page) => store.keys.list(ctx, ctx.tenantId, page),
    async delete(ctx, id) {
      const deleted = await store.keys.delete(ctx, ctx.tenantId, id);
      changes += 1;
      exists = null;
      for (const [name, { record }] of trusted) if (record.id === id) trusted.delete(name);
      if (!deleted) throw new GoflowError('NOT_FOUND', `there is no key ${id}`);
      log.info(ctx, 'key revoked', { key_id: id });
    },
  };
}

interface KeyBody {
  readonly name: string;
  readonly role: Role;
  readonly tenant_id?: string;
  readonly user_id?: string;
  readonly expires_at?: string;
}

function parseBody(body: JsonValue): KeyBody {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw validationError([{ pointer: '', message: 'must be an object with name and role', keyword: 'type' }]);
  }
  const fields = body as Record<string, unknown>;
  const problems: Problem[] = Object.keys(fields)
    .filter((key) => !FIELDS.includes(key))
    .map((key) => ({
      pointer: `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      message: `is not a known field; there are ${FIELDS.join(', ')}`,
      keyword: 'additionalProperties',
    }));
  const expect = (field: string, fits: (value: unknown) => boolean, message: string, required: boolean): void => {
    const value = fields[field];
    if (value === undefined && !required) return;
    if (value === undefined) problems.push({ pointer: `/${field}`, message: 'is missing', keyword: 'required' });
    else if (!fits(value)) problems.push({ pointer: `/${field}`, message, keyword: 'pattern' });
  };
  expect('name', isName, 'must be a text of 1 to 100 characters', true);
  expect('role', (role) => ROLES.includes(role as Role), `must be one of ${ROLES.join(', ')}`, true);
  expect('tenant_id', (id) => matches(TENANT_ID, id), 'must be 1 to 64 letters, digits, "_" and "-"', false);
  expect('user_id', (id) => matches(USER_ID, id), 'must be 1 to 128 letters, digits and "_.@:+-"', false);
  expect('expires_at', isFutureTime, 'must be a time in the future, such as 2030-01-31T12:00:00Z', false);
  if (problems.length > 0) throw validationError(problems);
  return fields as unknown as KeyBody;
}

/** Whether the key is past its time. */
export function hasExpired(record: KeyRecord, now = Date.now()): boolean {
  return record.expires_at !== null && Date.parse(record.expires_at) <= now;
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i;

function isFutureTime(value: unknown): boolean {
  return typeof value === 'string' && RFC_3339.test(value) && Date.parse(value) > Date.now();
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '' && value.length <= 100 && !/\p{Cc}/u.test(value);
}

function matches(pattern: RegExp, value: unknown): boolean {
  return typeof value === 'string' && pattern.test(value);
}
