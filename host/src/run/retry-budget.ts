/** Retries for each call that a plugin makes for a tenant, beside the steady rate below. */
const PER_CALL = 0.2;
const PER_SECOND = 10;
/** Retries at once before any of them waits. */
const BURST = 100;
const MAX_BUCKETS = 10_000;

interface Bucket {
  tokens: number;
  /** In the milliseconds of the clock. */
  filledAt: number;
}

/**
 * Bounds how much retries add to the load of a service that fails: per tenant and plugin, at most a fifth of its calls and ten a second. A retry beyond
 * that waits for its turn, so that it comes later, not never.
 */
export interface RetryBudget {
  /** A first attempt is made. */
  called(tenantId: string, plugin: string): void;
  /** Takes a retry; gives the milliseconds that it has to wait. */
  take(tenantId: string, plugin: string): number;
  /** A retry that was taken is not made. */
  giveBack(tenantId: string, plugin: string): void;
}

export function createRetryBudget(now: () => number = () => performance.now()): RetryBudget {
  // Only plugins that have retried have a bucket.
  const buckets = new Map<string, Bucket>();

  function bucketOf(tenantId: string, plugin: string): Bucket {
    const key = keyOf(tenantId, plugin);
    let bucket = buckets.get(key);
    if (bucket === undefined) {
      if (buckets.size >= MAX_BUCKETS) buckets.delete(buckets.keys().next().value as string);
      bucket = { tokens: BURST, filledAt: now() };
      buckets.set(key, bucket);
    }
    const at = now();
    bucket.tokens = Math.min(BURST, bucket.tokens + ((at - bucket.filledAt) / 1000) * PER_SECOND);
    bucket.filledAt = at;
    return bucket;
  }

  return {
    called(tenantId, plugin) {
      if (buckets.size === 0) return;
      const bucket = buckets.get(keyOf(tenantId, plugin));
      if (bucket !== undefined) bucket.tokens = Math.min(BURST, bucket.tokens + PER_CALL);
    },
    take(tenantId, plugin) {
      const bucket = bucketOf(tenantId, plugin);
      bucket.tokens -= 1;
      return bucket.tokens >= 0 ? 0 : (-bucket.tokens / PER_SECOND) * 1000;
    },
    giveBack(tenantId, plugin) {
      bucketOf(tenantId, plugin).tokens += 1;
    },
  };
}

function keyOf(tenantId: string, plugin: string): string {
  return `${tenantId}\n${plugin}`;
}
