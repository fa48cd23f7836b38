import { entryAllowsHost, type JsonSchema, parseHost, parsePermissionEntry } from '../contract/index.ts';
import type { BuiltConnector } from '../build/build-connector.ts';

/** A bundle of more than this takes noticeably long to load. */
const LARGE_BYTES = 1024 * 1024;

/** What an author may want to change, though the host takes the bundle as it is. */
export function advise(built: BuiltConnector): string[] {
  const { manifest, bundle } = built;
  const advice: string[] = [];
  for (const field of ['title', 'description', 'license'] as const) {
    if (manifest[field] === undefined)
      advice.push(`/${field} is missing: people see it before they install the connector.`);
  }
  if (bundle.files['README.md'] === undefined) advice.push('README.md is missing: it is shown with the connector.');
  for (const [id, action] of Object.entries(manifest.actions)) {
    if (action.title === undefined && action.description === undefined)
      advice.push(`/actions/${id} has neither title nor description.`);
    const bare = undescribed(action.input);
    if (bare.length > 0)
      advice.push(
        `/actions/${id}/input has fields without a description: ${bare.join(', ')}. People fill them in by it.`,
      );
    if (action.input === undefined)
      advice.push(`/actions/${id}/input is missing: any input is let through to the action.`);
    if (action.output === undefined)
      advice.push(`/actions/${id}/output is missing: later steps cannot be checked against the result.`);
  }
  const bytes = Buffer.byteLength(built.text);
  if (bytes > LARGE_BYTES)
    advice.push(`The bundle has ${(bytes / 1024 / 1024).toFixed(1)} MB; smaller ones start faster.`);
  return [...advice, ...permissionAdvice(built)];
}

/** Fields of an input at its top level that say nothing of themselves. */
function undescribed(schema: JsonSchema | undefined): string[] {
  const properties = typeof schema === 'object' ? schema['properties'] : undefined;
  if (typeof properties !== 'object' || properties === null) return [];
  return Object.entries(properties as Record<string, JsonSchema>)
    .filter(
      ([, field]) => typeof field === 'object' && field['description'] === undefined && field['title'] === undefined,
    )
    .map(([name]) => name);
}

function permissionAdvice({ manifest, bundle }: BuiltConnector): string[] {
  const code = bundle.files['plugin.js'];
  const permissions = manifest.permissions ?? {};
  const advice: string[] = [];
  const net = (permissions.net ?? []).map((entry) => parsePermissionEntry('net', entry));
  for (const entry of net) {
    // The definition itself is in the code, so the host has to stand there once more.
    const host = entry.host;
    if (host !== null && !entry.wildcard && code.split(host).length <= 2) {
      advice.push(`/permissions/net asks for ${entry.text}, which the code never names: ask for what is used.`);
    }
  }
  for (const host of hostsIn(code)) {
    if (!net.some((entry) => entry.template || entryAllowsHost(entry, host))) {
      advice.push(`The code has a URL to ${host}, which /permissions/net does not ask for: ctx.fetch would refuse it.`);
    }
  }
  if (permissions.storage === true && !/\bstorage\b/.test(code.replace(/storage:(?:true|!0)/, ''))) {
    advice.push('/permissions/storage is asked for, but ctx.storage is not used.');
  }
  if (/\.storage\.(?:get|set|delete|list)\(/.test(code) && permissions.storage !== true) {
    advice.push('ctx.storage is used; it needs permissions: { storage: true }.');
  }
  if (/\.connect\(/.test(code) && /ctx\.connect\(/.test(code) && (permissions.connect ?? []).length === 0) {
    advice.push('ctx.connect is used; it needs an entry in /permissions/connect, as "smtp.example.com:587".');
  }
  return advice;
}

/** Hosts of addresses that are fetched as they stand in the code; links in texts of libraries are left out. */
function hostsIn(code: string): Set<string> {
  const found = [...code.matchAll(/\bfetch\(\s*["'`]https?:\/\/([a-z0-9.-]+)/gi)].map(
    (match) => parseHost(match[1] ?? '')?.host,
  );
  return new Set(found.filter((host) => host !== undefined));
}
