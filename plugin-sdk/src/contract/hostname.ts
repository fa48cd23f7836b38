/**
 * One spelling per host. Whatever names a host (a grant, a URL, the target of a socket) goes through here before anything is
 * compared, so that case, trailing dots, IDNA and the many spellings of an address cannot tell two checks apart.
 */
export interface Host {
  readonly kind: 'name' | 'ipv4' | 'ipv6';
  /** Canonical text without brackets: `example.com`, `127.0.0.1`, `::1`. */
  readonly host: string;
}

/** Characters that would make a URL parser see more than a host, and those that it silently drops. */
// oxlint-disable-next-line eslint/no-control-regex -- control characters are what has to be found
const NOT_OF_A_HOST = /[\u0000-\u0020\u007f/\\?#@%<>^|`{}"*,;]/;
const NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/**
 * The canonical form of a host, or `null` for what is none. Takes names (also international ones), IPv4 in every spelling that the
 * URL standard knows (`127.1`, `0x7f000001`, `017700000001`) and IPv6 with or without brackets. Zone ids are refused.
 */
export function parseHost(text: string): Host | null {
  if (text.length === 0 || text.length > 1024 || NOT_OF_A_HOST.test(text)) return null;
  const bracketed = text.startsWith('[');
  const authority = !bracketed && text.includes(':') ? `[${text}]` : text;
  if (!URL.canParse(`http://${authority}/`)) return null;
  const { hostname, port } = new URL(`http://${authority}/`);
  if (port !== '') return null;
  if (hostname.startsWith('[')) return { kind: 'ipv6', host: hostname.slice(1, -1) };
  const host = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
  if (!NAME.test(host)) return null;
  return { kind: /(?:^|\.)\d+$/.test(host) ? 'ipv4' : 'name', host };
}

/** A host as it stands in front of a port: IPv6 in brackets. */
export function showHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** A port number from its decimal digits, or `null`. */
export function parsePort(text: string): number | null {
  if (!/^[0-9]{1,5}$/.test(text)) return null;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : null;
}
