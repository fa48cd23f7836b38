import { isIPv6 } from 'node:net';
import { GoflowError } from '../core/errors.ts';
import { createBuckets } from './token-bucket.ts';

/**
 * Slows down who guesses keys and webhook ids. Each failure takes from what its address has left; with nothing left, an address is heard only with
 * what has worked from there before. Who else comes from that address with a known key is not locked out, and a lucky guess gets the same answer as
 * any other. `secret` is the hash of a key, or a webhook id: no key is kept.
 */
export interface Guesses {
  /** Throws RATE_LIMITED when the address has guessed too often and `secret` is not known to be good there. */
  check(address: string | undefined, secret: string): void;
  failed(address: string | undefined): void;
  succeeded(address: string | undefined, secret: string): void;
}

/** Failures that an address has for nothing, and gets back per second. A misconfigured fleet behind one address needs some. */
const FAILURES = 500;
const PER_SECOND = 10;
const MOST_ADDRESSES = 10_000;
const MOST_KNOWN = 20_000;

export function createGuesses(now: () => number = () => performance.now()): Guesses {
  const buckets = createBuckets({ capacity: FAILURES, perSecond: PER_SECOND, most: MOST_ADDRESSES, now });
  const known = new Set<string>();
  return {
    check(address, secret) {
      if (buckets.size === 0) return;
      const network = networkOf(address);
      if (buckets.left(network) >= 1 || known.has(`${network} ${secret}`)) return;
      throw new GoflowError('RATE_LIMITED', 'too many failed attempts from this address; wait, then use a valid key', {
        retryAfter: 1,
      });
    },
    failed: (address) => void buckets.take(networkOf(address)),
    succeeded(address, secret) {
      const entry = `${networkOf(address)} ${secret}`;
      if (known.has(entry)) return;
      if (known.size >= MOST_KNOWN) known.delete(known.values().next().value as string);
      known.add(entry);
    },
  };
}

/** One customer of a provider has a whole /64 of IPv6: its addresses count as one. */
function networkOf(address = ''): string {
  if (address.startsWith('::ffff:')) return address.slice('::ffff:'.length);
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::', 2);
  const groups = head.split(':');
  if (tail !== undefined) while (groups.length < 4) groups.push('0');
  return groups.slice(0, 4).join(':');
}
