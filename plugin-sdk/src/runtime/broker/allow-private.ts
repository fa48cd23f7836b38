import type ipaddr from 'ipaddr.js';
import { type Host, parseHost, parsePort, showHost } from '../../contract/index.ts';
import { type CheckedAddress, type ParsedAddress, parseAddress } from './address.ts';

/** What `GOFLOW_EGRESS_ALLOW_PRIVATE` opens, taken apart by `parseAllowPrivate`. */
export interface AllowPrivate {
  readonly entries: readonly AllowPrivateEntry[];
}

type AllowPrivateEntry =
  | {
      readonly kind: 'network';
      readonly text: string;
      readonly network: ParsedAddress;
      readonly bits: number;
      readonly port: number | null;
    }
  | { readonly kind: 'host'; readonly text: string; readonly host: Host; readonly port: number };

/** Larger networks than these hold more than one private range; whoever means several names several. */
const MIN_PREFIX = { ipv4: 8, ipv6: 7 } as const;

/**
 * Reads a comma list of `host:port`, `CIDR` and `CIDR:port`, as `127.0.0.1:2525, 10.0.0.0/8, [fd00::/8]:5432, localhost:1025`.
 * Throws an `Error` whose message quotes the entry and says what is wrong with it.
 */
export function parseAllowPrivate(text: string): AllowPrivate {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(parseEntry);
  return { entries };
}

function parseEntry(text: string): AllowPrivateEntry {
  return text.includes('/') ? parseNetwork(text) : parseHostAndPort(text);
}

function parseNetwork(text: string): AllowPrivateEntry {
  const match = /^\[?(?<address>[0-9a-fA-F:.]+)\/(?<bits>[0-9]{1,3})\]?(?::(?<port>[0-9]+))?$/.exec(text);
  const address = match?.groups?.['address'];
  const network = address === undefined ? null : parseAddress(address);
  if (match === null || network === null)
    throw new Error(`"${text}" is not a network such as 10.0.0.0/8 or [fd00::/8]:5432`);
  const bits = Number(match.groups?.['bits']);
  const most = network.kind() === 'ipv4' ? 32 : 128;
  const least = MIN_PREFIX[network.kind()];
  if (bits < least || bits > most) throw new Error(`"${text}" has a prefix length that is not ${least} to ${most}`);
  const portText = match.groups?.['port'];
  const port = portText === undefined ? null : parsePort(portText);
  if (portText !== undefined && port === null) throw new Error(`"${text}" has a port that is not 1 to 65535`);
  return { kind: 'network', text, network, bits, port };
}

function parseHostAndPort(text: string): AllowPrivateEntry {
  const cut = text.lastIndexOf(':');
  const hostText = text.slice(0, Math.max(cut, 0));
  if (cut < 0 || (hostText.includes(':') && !/^\[.*\]$/.test(hostText)))
    throw new Error(`"${text}" needs a port, as 127.0.0.1:2525, or a prefix length, as 10.0.0.0/8`);
  const port = parsePort(text.slice(cut + 1));
  if (port === null) throw new Error(`"${text}" has a port that is not 1 to 65535`);
  const host = parseHost(hostText);
  if (host === null) throw new Error(`"${text}" does not begin with a host name or address`);
  return { kind: 'host', text: `${showHost(host.host)}:${port}`, host, port };
}

/**
 * The entry that opens an address and port, or `null`. `asked` is the name that led to the address. A named entry opens what its
 * name resolves to (`resolve` is only called then), but never a link-local address: those of cloud metadata services have to be
 * named as they are. Waits as long as `resolve` does, which is the guard's own look-up and has its limit.
 */
export async function allowingEntry(
  allow: AllowPrivate,
  target: CheckedAddress,
  port: number,
  asked: string,
  resolve: (host: string) => Promise<readonly CheckedAddress[]>,
): Promise<string | null> {
  const address = parseAddress(target.address);
  if (address === null) return null;
  for (const entry of allow.entries) {
    if (entry.port !== null && entry.port !== port) continue;
    if (entry.kind === 'network') {
      if (sameKind(entry.network, address) && address.match(entry.network, entry.bits)) return entry.text;
    } else if (entry.host.kind !== 'name') {
      if (parseAddress(entry.host.host)?.toString() === address.toString()) return entry.text;
    } else if (target.special !== 'link-local' && !isMetadata(address)) {
      if (entry.host.host === asked) return entry.text;
      const named = await resolve(entry.host.host).catch(() => []);
      if (named.some((other) => other.address === target.address)) return entry.text;
    }
  }
  return null;
}

function sameKind(a: ParsedAddress, b: ParsedAddress): boolean {
  return a.kind() === b.kind();
}

/** The metadata service of EC2 over IPv6 lies in a unique-local range. */
function isMetadata(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address.kind() === 'ipv6' && address.toNormalizedString() === 'fd00:ec2:0:0:0:0:0:254';
}
