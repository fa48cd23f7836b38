import {
  entryAllowsHost,
  type Host,
  type JsonValue,
  parsePermissionEntry,
  type PermissionEntry,
  type PermissionKind,
  permissionFault,
  type Permissions,
  resolveTemplates,
  showHost,
} from '../../contract/index.ts';
import { egressDenied } from './errors.ts';

/** What a session may reach: the granted entries with the credential's real values filled in. */
export class Grants {
  readonly storage: boolean;
  readonly #net: readonly PermissionEntry[];
  readonly #connect: readonly PermissionEntry[];

  constructor(granted: Permissions, credential: JsonValue) {
    const entries = parsedEntries(granted);
    const resolve = (entry: PermissionEntry) => resolveTemplates(entry, credential) ?? [];
    this.#net = entries.net.flatMap(resolve);
    this.#connect = entries.connect.flatMap(resolve);
    this.storage = granted.storage === true;
  }

  /** The entry that lets a request through; throws EGRESS_DENIED, which names the host, when there is none. */
  forRequest(secure: boolean, host: Host, port: number): PermissionEntry {
    const ofHost = this.#net.filter((entry) => entryAllowsHost(entry, host.host));
    const entry = ofHost.find((entry) => (entry.port === null ? secure && port === 443 : entry.port === port));
    if (entry !== undefined) return entry;
    const target = showHost(host.host);
    const [near] = ofHost;
    if (near === undefined)
      throw notGranted(target, `${target}:${port}`, 'net', secure && port === 443 ? target : `${target}:${port}`);
    const reach = near.port === null ? 'https on port 443' : `port ${near.port}`;
    throw egressDenied(
      target,
      `the granted permission "${near.text}" allows ${reach} only, not port ${port}${secure ? '' : ' with http'}`,
      'not-granted',
    );
  }

  /** The entry that lets a connection through; throws EGRESS_DENIED when there is none. */
  forConnection(host: Host, port: number): PermissionEntry {
    const entry = this.#connect.find((entry) => entry.port === port && entryAllowsHost(entry, host.host));
    if (entry !== undefined) return entry;
    const target = `${showHost(host.host)}:${port}`;
    throw notGranted(showHost(host.host), target, 'connect', target);
  }
}

function notGranted(host: string, target: string, kind: PermissionKind, entry: string) {
  return egressDenied(
    host,
    `no granted "${kind}" permission covers ${target}; the manifest has to ask for "${entry}" and an admin to grant it`,
    'not-granted',
  );
}

interface ParsedEntries {
  readonly net: readonly PermissionEntry[];
  readonly connect: readonly PermissionEntry[];
}

/** Grants change seldom and sessions are many: entries are parsed once per grants object. */
const cache = new WeakMap<Permissions, ParsedEntries>();

function parsedEntries(granted: Permissions): ParsedEntries {
  const known = cache.get(granted);
  if (known !== undefined) return known;
  const parse = (kind: PermissionKind) =>
    (granted[kind] ?? [])
      .filter((text) => permissionFault(kind, text) === null)
      .map((text) => parsePermissionEntry(kind, text));
  const entries = { net: parse('net'), connect: parse('connect') };
  cache.set(granted, entries);
  return entries;
}
