import { parseHost, parsePort, showHost } from './hostname.ts';
import type { JsonValue } from './json.ts';
import type { Permissions } from './manifest.ts';

/** Which list an entry stands in: `net` for `ctx.fetch`, `connect` for `ctx.connect`. */
export type PermissionKind = 'net' | 'connect';

/** One entry of `net` or `connect`, taken apart. */
export interface PermissionEntry {
  readonly kind: PermissionKind;
  /** The entry in its one spelling: `api.example.com`, `*.example.com:8443`, `[::1]:25`, `{{credential.host}}:587`. */
  readonly text: string;
  /** Canonical host; for a wildcard, the name that it is below. `null` for an entry with a template. */
  readonly host: string | null;
  /** Whether names below `host` are meant (one or more labels), and not `host` itself. */
  readonly wildcard: boolean;
  /** `null`: https on 443 (`net` only), or a template. */
  readonly port: number | null;
  /** Whether `{{credential.NAME}}` has to be resolved before the entry means anything. */
  readonly template: boolean;
}

/** Says what is wrong with an entry; the message quotes it. */
export class PermissionSyntaxError extends Error {
  override readonly name = 'PermissionSyntaxError';
}

const TEMPLATE = /\{\{credential\.([A-Za-z_][A-Za-z0-9_]*)\}\}/g;
const HOST_TEMPLATE = /^\{\{credential\.[A-Za-z_][A-Za-z0-9_]*\}\}(?<below>\..+)?$/;
const PORT_TEMPLATE = /^\{\{credential\.[A-Za-z_][A-Za-z0-9_]*\}\}$/;

/**
 * Takes an entry apart; throws a `PermissionSyntaxError` that says what is wrong. Host syntax: a name, `*.name` with at least two
 * labels, an address, `{{credential.NAME}}`, or `{{credential.NAME}}.example.com`. A `connect` entry always has a port.
 */
export function parsePermissionEntry(kind: PermissionKind, text: string): PermissionEntry {
  const refuse = (reason: string): never => {
    throw new PermissionSyntaxError(`${JSON.stringify(text.slice(0, 200))} ${reason}`);
  };
  if (text.length === 0 || text.length > 512) return refuse('must have 1 to 512 characters');
  if (text === '*' || text.startsWith('*:'))
    return refuse('would allow every host; name the hosts, as "*.example.com"');
  if (text.includes('://')) return refuse('has a scheme; write the host alone, as "api.example.com"');
  if (/[/?#\\]/.test(text)) return refuse('has a path; write the host alone, as "api.example.com"');
  if (text.includes('@')) return refuse('has a user name; write the host alone, as "api.example.com"');

  const cut = text.startsWith('[') ? text.indexOf(']') + 1 : text.lastIndexOf(':');
  const hasPort = text.startsWith('[') ? cut < text.length : cut >= 0;
  const hostText = hasPort ? text.slice(0, cut) : text;
  const portText = hasPort ? text.slice(text.indexOf(':', cut) + 1) : null;
  if (hasPort && text[cut] !== ':') return refuse('has something after the address that is no port');
  if (!text.startsWith('[') && hostText.includes(':'))
    return refuse('is an IPv6 address without brackets; write "[::1]:443"');

  const portIsTemplate = portText !== null && PORT_TEMPLATE.test(portText);
  const port = portText === null || portIsTemplate ? null : parsePort(portText);
  if (portText !== null && !portIsTemplate && port === null) return refuse('has a port that is not 1 to 65535');
  if (kind === 'connect' && portText === null) return refuse('must name a port, as "smtp.example.com:587"');
  const tail = portText === null ? '' : `:${portIsTemplate ? portText : port}`;

  const hostTemplate = HOST_TEMPLATE.exec(hostText);
  if (hostTemplate !== null) {
    const below = hostTemplate.groups?.['below'];
    const parent = below === undefined ? null : parseHost(below.slice(1));
    if (below !== undefined && (parent?.kind !== 'name' || !parent.host.includes('.')))
      return refuse('needs a name of at least two labels after the template');
    const canonical = `${hostText.slice(0, hostText.length - (below?.length ?? 0))}${parent === null ? '' : `.${parent.host}`}`;
    return { kind, text: canonical + tail, host: null, wildcard: false, port, template: true };
  }
  if (/[{}]/.test(hostText)) return refuse('has braces that are not "{{credential.NAME}}" at its beginning');

  const wildcard = hostText.startsWith('*.');
  const host = parseHost(wildcard ? hostText.slice(2) : hostText);
  if (hostText.slice(wildcard ? 2 : 0).includes('*')) return refuse('has "*" where only a leading "*." is allowed');
  if (host === null) return refuse('is not a host name or address');
  if (wildcard && host.kind !== 'name') return refuse('has a wildcard in front of an address');
  if (wildcard && !host.host.includes('.'))
    return refuse('would allow a whole top-level domain; name at least two labels');
  const canonical = `${wildcard ? '*.' : ''}${showHost(host.host)}${tail}`;
  if (portIsTemplate) return { kind, text: canonical, host: null, wildcard, port: null, template: true };
  return { kind, text: canonical, host: host.host, wildcard, port, template: false };
}

/** What is wrong with an entry, or `null`. Never throws. */
export function permissionFault(kind: PermissionKind, text: string): string | null {
  try {
    parsePermissionEntry(kind, text);
    return null;
  } catch (error) {
    if (error instanceof PermissionSyntaxError) return error.message;
    throw error;
  }
}

/**
 * The entry with each `{{credential.NAME}}` replaced by the stored value; `null` when the value is missing, is no host or port, or
 * would widen the entry (a wildcard, a port of its own). Values come from the store, never from a run's input.
 */
export function resolveTemplates(entry: PermissionEntry, credential: JsonValue): PermissionEntry | null {
  if (!entry.template) return entry;
  let missing = false;
  const text = entry.text.replace(TEMPLATE, (_all, name: string, offset: number) => {
    const value = ownScalar(credential, name);
    if (value === null) {
      missing = true;
      return '';
    }
    const isPort = offset > 0;
    if (isPort) {
      missing ||= parsePort(value) === null;
      return value;
    }
    const host = parseHost(value);
    // A value in front of ".example.com" is labels, and labels alone.
    const labelsOnly = /^\{\{[^}]*\}\}\./.test(entry.text);
    missing ||= host === null || (labelsOnly && host.kind === 'ipv6');
    return host === null ? '' : showHost(host.host);
  });
  if (missing) return null;
  try {
    const resolved = parsePermissionEntry(entry.kind, text);
    return resolved.template ? null : resolved;
  } catch {
    return null;
  }
}

function ownScalar(credential: JsonValue, name: string): string | null {
  if (typeof credential !== 'object' || credential === null || !Object.hasOwn(credential, name)) return null;
  const value = (credential as Readonly<Record<string, JsonValue | undefined>>)[name];
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : null;
}

/** Whether a (resolved) entry lets through `host`, which has to be canonical (`parseHost`). */
export function entryAllowsHost(entry: PermissionEntry, host: string): boolean {
  if (entry.host === null) return false;
  return entry.wildcard ? host.endsWith(`.${entry.host}`) : host === entry.host;
}

/** Whether everything that `asked` allows is allowed by `granted`. An entry that cannot be parsed is never covered and covers nothing. */
export function isSubset(asked: Permissions, granted: Permissions): boolean {
  const rest = difference(asked, granted);
  return rest.net === undefined && rest.connect === undefined && rest.storage === undefined;
}

/** What `asked` has beyond `granted`; empty lists are left out, so `{}` means that nothing is missing. */
export function difference(asked: Permissions, granted: Permissions): Permissions {
  const net = uncovered('net', asked.net ?? [], granted.net ?? []);
  const connect = uncovered('connect', asked.connect ?? [], granted.connect ?? []);
  return {
    ...(net.length > 0 && { net }),
    ...(connect.length > 0 && { connect }),
    ...(asked.storage === true && granted.storage !== true && { storage: true }),
  };
}

function uncovered(kind: PermissionKind, asked: readonly string[], granted: readonly string[]): string[] {
  const grants = granted.flatMap((text) => parsed(kind, text) ?? []);
  return asked.filter((text) => {
    const entry = parsed(kind, text);
    return entry === null || !grants.some((grant) => covers(grant, entry));
  });
}

function parsed(kind: PermissionKind, text: string): PermissionEntry | null {
  return permissionFault(kind, text) === null ? parsePermissionEntry(kind, text) : null;
}

function covers(grant: PermissionEntry, asked: PermissionEntry): boolean {
  if (grant.template || asked.template) return grant.text === asked.text;
  // "host" is https on 443, "host:443" is http or https there: the second covers the first, not the other way round.
  const port = grant.port === asked.port || (asked.port === null && grant.port === 443);
  if (!port || asked.host === null) return false;
  if (asked.wildcard && !(grant.wildcard && (asked.host === grant.host || asked.host.endsWith(`.${grant.host}`))))
    return false;
  return asked.wildcard || entryAllowsHost(grant, asked.host);
}
