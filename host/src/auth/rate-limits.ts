import { GoflowError } from '../core/errors.ts';
import type { Principal } from './principal.ts';
import { createBuckets } from './token-bucket.ts';

export interface RateLimitOptions {
  /** Requests per second and key; null: no limit. As many may come at once. */
  readonly perKey: number | null;
  /** Requests per second of all keys of a tenant together, its webhooks included; null: no limit. */
  readonly perTenant: number | null;
}

/** Where the state of the limits is kept for the answer's headers. */
export interface RateLimited {
  /** The headers `RateLimit-Policy` and `RateLimit` (of the limit that is nearer; draft-ietf-httpapi-ratelimit-headers), flat. */
  rateLimit: readonly string[] | null;
}

/** Limits of how often a key and a tenant may ask, in the memory of this host. */
export interface RateLimits {
  /** Counts a request. Throws RATE_LIMITED when its key or tenant has none left. */
  take(principal: Principal, answer: RateLimited): void;
  /** Counts a request without a key on behalf of a tenant. */
  takeTenant(tenantId: string): void;
}

const MOST_BUCKETS = 100_000;

export function createRateLimits(
  { perKey, perTenant }: RateLimitOptions,
  now: () => number = () => performance.now(),
): RateLimits {
  const bucketsOf = (limit: number | null) =>
    limit === null ? null : createBuckets({ capacity: limit, perSecond: limit, most: MOST_BUCKETS, now });
  const keys = bucketsOf(perKey);
  const tenants = bucketsOf(perTenant);
  const policy = [
    ...(perKey === null ? [] : [`"key";q=${perKey};w=1`]),
    ...(perTenant === null ? [] : [`"tenant";q=${perTenant};w=1`]),
  ].join(', ');

  return {
    take(principal, answer) {
      let name = 'key';
      let left = keys === null ? Number.POSITIVE_INFINITY : keys.take(keyName(principal));
      if (left >= 0 && tenants !== null) {
        const ofTenant = tenants.take(principal.tenantId);
        if (ofTenant < left) {
          left = ofTenant;
          name = 'tenant';
        }
      }
      if (left === Number.POSITIVE_INFINITY) return;
      answer.rateLimit = ['RateLimit-Policy', policy, 'RateLimit', `"${name}";r=${left < 0 ? 0 : left};t=1`];
      if (left < 0) throw exceeded(name, name === 'key' ? perKey : perTenant);
    },
    takeTenant(tenantId) {
      if (tenants !== null && tenants.take(tenantId) < 0) throw exceeded('tenant', perTenant);
    },
  };
}

/** Who has no key of their own is a user: the space keeps both apart. */
function keyName({ keyId, tenantId, userId }: Principal): string {
  return keyId ?? `${tenantId} ${userId}`;
}

function exceeded(what: string, limit: number | null): GoflowError {
  return new GoflowError('RATE_LIMITED', `this ${what} has used its ${limit} requests per second; try again`, {
    retryAfter: 1,
  });
}
