export interface Buckets {
  /** Takes one token. Answers how many whole ones are left, −1 when there was none. */
  take(name: string): number;
  /** Tokens left, a fraction perhaps. */
  left(name: string): number;
  /** Buckets that are not known to be full. */
  readonly size: number;
}

export interface BucketOptions {
  readonly capacity: number;
  readonly perSecond: number;
  /** Buckets kept at most; beyond that, the one that was made first is forgotten, which fills it. */
  readonly most: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Token buckets by name: a map look-up and a few sums each time, no timer. A name that is not there has a full bucket. */
export function createBuckets({ capacity, perSecond, most, now }: BucketOptions): Buckets {
  const buckets = new Map<string, Bucket>();
  const perMs = perSecond / 1000;

  function fill(bucket: Bucket, at: number): void {
    bucket.tokens = Math.min(capacity, bucket.tokens + (at - bucket.at) * perMs);
    bucket.at = at;
  }

  return {
    get size() {
      return buckets.size;
    },
    take(name) {
      const at = now();
      let bucket = buckets.get(name);
      if (bucket === undefined) {
        if (buckets.size >= most) buckets.delete(buckets.keys().next().value as string);
        buckets.set(name, (bucket = { tokens: capacity, at }));
      } else fill(bucket, at);
      if (bucket.tokens < 1) return -1;
      bucket.tokens -= 1;
      return Math.floor(bucket.tokens);
    },
    left(name) {
      const bucket = buckets.get(name);
      if (bucket === undefined) return capacity;
      fill(bucket, now());
      return bucket.tokens;
    },
  };
}
