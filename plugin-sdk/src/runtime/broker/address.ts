import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An IP address after normalising. */
export interface CheckedAddress {
  /** Canonical text; an IPv4-mapped IPv6 address as the IPv4 address that is really connected to. */
  readonly address: string;
  readonly family: 4 | 6;
  /** Why the address is not public (`loopback`, `private` …), or `null` for one of the public internet. */
  readonly special: string | null;
}

export type ParsedAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** Names for people; what is not here is called by its range. */
const RANGE_NAMES: Readonly<Record<string, string>> = {
  linkLocal: 'link-local',
  uniqueLocal: 'unique-local',
  carrierGradeNat: 'carrier-grade NAT',
  rfc6052: 'NAT64',
  rfc6145: 'IPv4-translated',
  ipv4Mapped: 'IPv4-mapped',
};

/**
 * Takes an address apart; `null` for what is none (short and octal forms included: those are the URL parser's to normalise). Zone
 * ids are dropped: the range is the same in every zone.
 */
export function parseAddress(text: string): ParsedAddress | null {
  const bare = text.replace(/%.*$/s, '');
  if (isIP(bare) === 0) return null;
  const parsed = ipaddr.parse(bare);
  return parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed;
}

/** Classifies an address; `null` for what is no address. Public is only what is known to be so: the rest is special. */
export function checkAddress(text: string): CheckedAddress | null {
  const parsed = parseAddress(text);
  if (parsed === null) return null;
  return parsed instanceof ipaddr.IPv6
    ? { address: parsed.toRFC5952String(), family: 6, special: specialIPv6(parsed) }
    : { address: parsed.toString(), family: 4, special: rangeName(parsed.range()) };
}

function specialIPv6(address: ipaddr.IPv6): string | null {
  const named = rangeName(address.range());
  if (named !== null) return named;
  const [first = 0] = address.parts;
  // Only 2000::/3 is given out; this also ends the deprecated IPv4-compatible ::a.b.c.d.
  if (first >> 13 !== 1) return 'reserved';
  // ISATAP interface ids carry an IPv4 address that a tunnel would take the packet to.
  const [, , , , isatapFlag = 0, isatap] = address.parts;
  return isatap === 0x5efe && (isatapFlag & 0xfdff) === 0 ? 'ISATAP' : null;
}

function rangeName(range: string): string | null {
  return range === 'unicast' ? null : (RANGE_NAMES[range] ?? range);
}
