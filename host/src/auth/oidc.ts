import { createHash } from 'node:crypto';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { GoflowError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { ROLES, type Role } from '../core/records.ts';
import { TENANT_ID, type Principal } from './principal.ts';

export interface OidcConfig {
  /** URL of the issuer, as its tokens name it: https, or http on a loopback address. */
  readonly issuer: string;
  /** What tokens for this host name as their audience. */
  readonly audience: string;
  /** Claim that holds the tenant. */
  readonly tenantClaim: string;
  /** Claim that holds the role, or a list of which the strongest role counts. */
  readonly roleClaim: string;
}

/** Tokens of an identity provider, in place of API keys. */
export interface Oidc {
  /** Throws UNAUTHENTICATED with the reason, and ISSUER_UNAVAILABLE when the issuer's keys cannot be had. */
  verify(token: string): Promise<Principal>;
}

/** Signatures by public keys alone: `none`, and HMAC with a public key as its secret, are no signatures here. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const CLOCK_TOLERANCE_S = 5;
/** How long a verified token is believed without another look at its signature, never beyond its end: a signature costs more than the request. */
const TRUST_MS = 30_000;
const MOST_TRUSTED = 10_000;
const JWKS = { timeoutDuration: 5000, cooldownDuration: 10_000, cacheMaxAge: 600_000 };
/** Between two tries to read the issuer's configuration. */
const RETRY_MS = 2000;
const USER_ID = /^[\x21-\x7e]{1,256}$/;
const TOKEN = /^eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

/** Whether it has the form of a signed token; API keys never have. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

export function createOidc(config: OidcConfig, log: Logger): Oidc {
  const trusted = new Map<string, { readonly principal: Principal; readonly until: number }>();
  let keys: Promise<JWTVerifyGetKey> | null = null;
  let failed: { readonly until: number; readonly error: GoflowError } | null = null;

  /** The issuer's keys. Read at the first token, so that a host starts while its issuer is away; jose fetches them again when they are rotated. */
  function issuerKeys(): Promise<JWTVerifyGetKey> {
    if (failed !== null && performance.now() < failed.until) throw failed.error;
    keys ??= discover(config.issuer).then(
      (uri) => createRemoteJWKSet(uri, JWKS),
      (cause: unknown) => {
        keys = null;
        const error = unavailable(messageOf(cause), cause);
        failed = { until: performance.now() + RETRY_MS, error };
        log.error(null, 'issuer cannot be used', { issuer: config.issuer, 'error.message': messageOf(cause) });
        throw error;
      },
    );
    return keys;
  }

  async function check(token: string): Promise<{ readonly principal: Principal; readonly expiresAt: number }> {
    const getKey = await issuerKeys();
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(token, getKey, {
        issuer: config.issuer,
        audience: config.audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['iss', 'aud', 'exp', 'sub'],
      }));
    } catch (error) {
      throw refusalOf(error);
    }
    return { principal: principalOf(payload, config), expiresAt: (payload.exp as number) * 1000 };
  }

  return {
    async verify(token) {
      const name = createHash('sha256').update(token).digest('base64');
      const known = trusted.get(name);
      if (known !== undefined && Date.now() < known.until) return known.principal;
      const { principal, expiresAt } = await check(token);
      if (trusted.size >= MOST_TRUSTED) trusted.clear();
      trusted.set(name, { principal, until: Math.min(Date.now() + TRUST_MS, expiresAt) });
      return principal;
    },
  };
}

/** OpenID Connect Discovery: where the issuer publishes its keys. */
async function discover(issuer: string): Promise<URL> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(JWKS.timeoutDuration) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const document = (await response.json()) as Record<string, unknown>;
  if (document['issuer'] !== issuer) {
    throw new Error(`${url} is of the issuer ${JSON.stringify(document['issuer'])}, not of ${JSON.stringify(issuer)}`);
  }
  const uri = new URL(String(document['jwks_uri']));
  if (!isTrustworthy(uri)) throw new Error(`${url} names keys at ${uri.href}, which is not https`);
  return uri;
}

/** https, or a server on this machine. */
export function isTrustworthy(url: URL): boolean {
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
}

function principalOf(payload: JWTPayload, config: OidcConfig): Principal {
  const tenant = payload[config.tenantClaim];
  if (typeof tenant !== 'string' || !TENANT_ID.test(tenant)) {
    throw refuse(
      `the token names no tenant: its claim "${config.tenantClaim}" must be 1 to 64 letters, digits, "_" and "-"`,
    );
  }
  const role = strongest(payload[config.roleClaim]);
  if (role === undefined) {
    throw refuse(`the token names no role: its claim "${config.roleClaim}" must be one of ${ROLES.join(', ')}`);
  }
  const { sub } = payload;
  if (typeof sub !== 'string' || !USER_ID.test(sub)) throw refuse('the subject of the token cannot be a user id');
  return { keyId: null, tenantId: tenant, userId: sub, role, hostWide: false };
}

function strongest(claim: unknown): Role | undefined {
  const given: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return ROLES.findLast((role) => given.includes(role));
}

/** What is wrong with a token, without a word of what is in it. */
function refusalOf(error: unknown): GoflowError {
  if (error instanceof errors.JWTExpired) return refuse('the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed)
    return refuse(`the token's claim "${error.claim}" does not fit`);
  if (error instanceof errors.JWKSTimeout) return unavailable('the keys of the issuer did not arrive in time', error);
  // jose's plain errors are the answers of the issuer: not 200, no JSON; a failed fetch is a TypeError.
  if (!(error instanceof errors.JOSEError) || error.code === 'ERR_JOSE_GENERIC') {
    return unavailable('the keys of the issuer cannot be had', error);
  }
  return refuse('the token is not signed by a key of the issuer');
}

function refuse(message: string): GoflowError {
  return new GoflowError('UNAUTHENTICATED', message);
}

function unavailable(message: string, cause: unknown): GoflowError {
  return new GoflowError('ISSUER_UNAVAILABLE', `the identity provider cannot be asked: ${message}`, {
    cause,
    retryAfter: 2,
  });
}
