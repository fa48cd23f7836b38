import type { Context } from '../core/context.ts';
import { GoflowError, validationError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { KeyRecord } from '../core/records.ts';
import type { Store } from '../store/store.ts';
import { hashKey, isKeyText, sameHash } from './key-text.ts';
import { createGuesses, type Guesses } from './guesses.ts';
import { createKeyRing, hasExpired, type Keys } from './keys.ts';
import { isToken, type Oidc } from './oidc.ts';
import { bootstrapPrincipal, DEFAULT_TENANT, OPEN_PRINCIPAL, type Principal, TENANT_ID } from './principal.ts';

export interface AuthOptions {
  readonly store: Pick<Store, 'keys'>;
  /** The logger of the component `auth`. */
  readonly log: Logger;
  /** The bootstrap key (`GOFLOW_ADMIN_KEY`). */
  readonly adminKey: string | undefined;
  /** Whether the host listens on a loopback address alone: only then may it run open. */
  readonly loopback: boolean;
  /** Tokens of an identity provider; left out: API keys only. */
  readonly oidc?: Oidc;
}

export interface Auth {
  /**
   * Who sends these headers; in open mode the open-mode user, whatever they say. `tenant` (`X-Tenant-Id`) counts for the bootstrap key alone.
   * Throws UNAUTHENTICATED for a missing, malformed, unknown, revoked or expired key or token, RATE_LIMITED for an `address` that has sent too many of
   * those, VALIDATION_FAILED for a tenant that cannot be one.
   */
  authenticate(
    ctx: Context,
    authorization: string | undefined,
    tenant: string | undefined,
    address?: string,
  ): Principal | Promise<Principal>;
  /** `open`: nobody needs a key. `locked`: everybody does, and there is none: a host must not start like that on a public address. */
  mode(ctx: Context): Promise<'open' | 'keys' | 'locked'>;
  readonly keys: Keys;
  /** For routes without a key whose ids are secrets: webhooks. */
  readonly guesses: Guesses;
}

/** For the `WWW-Authenticate` header of a 401. */
export const WWW_AUTHENTICATE = 'Bearer realm="goflow"';

const BEARER = /^Bearer +(\S.*?) *$/i;

export function createAuth(options: AuthOptions): Auth {
  const { oidc } = options;
  const ring = createKeyRing(options.store, options.log);
  const guesses = createGuesses();
  const adminHash = options.adminKey === undefined ? null : hashKey(options.adminKey);

  async function mode(ctx: Context): Promise<'open' | 'keys' | 'locked'> {
    if (adminHash !== null || oidc !== undefined || (await ring.any(ctx))) return 'keys';
    return options.loopback ? 'open' : 'locked';
  }

  async function withoutKey(ctx: Context, message: string): Promise<Principal> {
    if ((await mode(ctx)) === 'open') return OPEN_PRINCIPAL;
    throw unauthenticated(message);
  }

  async function keyHolder(
    ctx: Context,
    found: Promise<KeyRecord | null>,
    name: string,
    address: string | undefined,
  ): Promise<Principal> {
    const record = await found;
    if (record !== null) guesses.succeeded(address, name);
    return record === null ? strangerWith('the key is unknown or was revoked', ctx, address) : principalOf(record);
  }

  async function tokenHolder(
    oidcOf: Oidc,
    token: string,
    name: string,
    address: string | undefined,
  ): Promise<Principal> {
    try {
      const principal = await oidcOf.verify(token);
      guesses.succeeded(address, name);
      return principal;
    } catch (error) {
      if (!(error instanceof GoflowError) || error.code !== 'UNAUTHENTICATED') throw error;
      guesses.failed(address);
      throw unauthenticated(error.message);
    }
  }

  async function strangerWith(message: string, ctx: Context, address: string | undefined): Promise<Principal> {
    try {
      return await withoutKey(ctx, message);
    } catch (error) {
      guesses.failed(address);
      throw error;
    }
  }

  return {
    authenticate(ctx, authorization, tenant, address) {
      if (authorization === undefined) return withoutKey(ctx, 'no key: send "Authorization: Bearer <key>"');
      const text = BEARER.exec(authorization)?.[1];
      if (text === undefined) return withoutKey(ctx, 'the Authorization header is not "Bearer <key>"');
      const hash = hashKey(text);
      const name = hash.toString('base64');
      guesses.check(address, name);
      if (adminHash !== null && sameHash(hash, adminHash)) {
        guesses.succeeded(address, name);
        return bootstrapPrincipal(tenantOf(tenant));
      }
      if (oidc !== undefined && isToken(text)) return tokenHolder(oidc, text, name, address);
      const found = isKeyText(text) ? ring.verify(ctx, hash, name) : null;
      if (found === null) return strangerWith('the key is unknown or was revoked', ctx, address);
      return found instanceof Promise ? keyHolder(ctx, found, name, address) : principalOf(found);
    },
    mode,
    keys: ring,
    guesses,
  };
}

/** Throws UNAUTHENTICATED when the key is past its time. */
function principalOf(record: KeyRecord): Principal {
  if (hasExpired(record)) throw unauthenticated(`the key ${record.id} expired at ${record.expires_at}`);
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
