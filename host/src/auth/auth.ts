import type { Context } from '../core/context.ts';
import { GoflowError, validationError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { KeyRecord } from '../core/records.ts';
import type { Store } from '../store/store.ts';
import { hashKey, sameHash } from './key-text.ts';
import { createKeyRing, type Keys } from './keys.ts';
import { bootstrapPrincipal, DEFAULT_TENANT, OPEN_PRINCIPAL, type Principal, TENANT_ID } from './principal.ts';

export interface AuthOptions {
  readonly store: Pick<Store, 'keys'>;
  /** The logger of the component `auth`. */
  readonly log: Logger;
  /** The bootstrap key (`GOFLOW_ADMIN_KEY`). */
  readonly adminKey: string | undefined;
  /** Whether the host listens on a loopback address alone: only then may it run open. */
  readonly loopback: boolean;
}

export interface Auth {
  /**
   * Who sends these headers; in open mode the open-mode user, whatever they say. `tenant` (`X-Tenant-Id`) counts for the bootstrap key alone.
   * Throws UNAUTHENTICATED for a missing, malformed, unknown or revoked key, VALIDATION_FAILED for a tenant that cannot be one.
   */
  authenticate(
    ctx: Context,
    authorization: string | undefined,
    tenant: string | undefined,
  ): Principal | Promise<Principal>;
  /** `open`: nobody needs a key. `locked`: everybody does, and there is none: a host must not start like that on a public address. */
  mode(ctx: Context): Promise<'open' | 'keys' | 'locked'>;
  readonly keys: Keys;
}

/** For the `WWW-Authenticate` header of a 401. */
export const WWW_AUTHENTICATE = 'Bearer realm="goflow"';

const BEARER = /^Bearer +(\S.*?) *$/i;

export function createAuth(options: AuthOptions): Auth {
  const ring = createKeyRing(options.store, options.log);
  const adminHash = options.adminKey === undefined ? null : hashKey(options.adminKey);

  async function mode(ctx: Context): Promise<'open' | 'keys' | 'locked'> {
    if (adminHash !== null || (await ring.any(ctx))) return 'keys';
    return options.loopback ? 'open' : 'locked';
  }

  async function withoutKey(ctx: Context, message: string): Promise<Principal> {
    if ((await mode(ctx)) === 'open') return OPEN_PRINCIPAL;
    throw unauthenticated(message);
  }

  return {
    authenticate(ctx, authorization, tenant) {
      if (authorization === undefined) return withoutKey(ctx, 'no key: send "Authorization: Bearer <key>"');
      const text = BEARER.exec(authorization)?.[1];
      if (text === undefined) return withoutKey(ctx, 'the Authorization header is not "Bearer <key>"');
      if (adminHash !== null && sameHash(hashKey(text), adminHash)) return bootstrapPrincipal(tenantOf(tenant));
      const found = ring.verify(ctx, text);
      const answer = (record: KeyRecord | null) =>
        record === null ? withoutKey(ctx, 'the key is unknown or was revoked') : principalOf(record);
      return found instanceof Promise ? found.then(answer) : answer(found);
    },
    mode,
    keys: ring,
  };
}

function principalOf(record: KeyRecord): Principal {
  return {
    keyId: record.id,
    tenantId: record.tenant_id,
    userId: record.user_id,
    role: record.role,
    hostWide: false,
  };
}

function tenantOf(header: string | undefined): string {
  if (header === undefined) return DEFAULT_TENANT;
  if (TENANT_ID.test(header)) return header;
  const message = 'the header X-Tenant-Id must be 1 to 64 letters, digits, "_" and "-"';
  throw validationError([{ pointer: '', message, keyword: 'pattern' }]);
}

function unauthenticated(message: string): GoflowError {
  return new GoflowError('UNAUTHENTICATED', message, { details: { www_authenticate: WWW_AUTHENTICATE } });
}
