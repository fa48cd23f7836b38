import { difference, isSubset, type Permissions } from '@goflow/plugin-sdk/contract';
import type { Problem } from '../core/errors.ts';

/** Permissions as sets, on top of the contract's rule of what covers what (`*.example.com` covers `api.example.com`). */

const LISTS = ['net', 'connect'] as const;

/** True when nothing is asked for or granted. */
export function isEmpty(permissions: Permissions): boolean {
  return permissions.storage !== true && LISTS.every((list) => (permissions[list]?.length ?? 0) === 0);
}

/** What both let through: of two entries where one covers the other, the narrower. */
export function intersection(a: Permissions, b: Permissions): Permissions {
  const entries = (list: 'net' | 'connect'): string[] => [
    ...(a[list] ?? []).filter((entry) => covers(b, list, entry)),
    ...(b[list] ?? []).filter((entry) => covers(a, list, entry)),
  ];
  return compact({
    net: entries('net'),
    connect: entries('connect'),
    storage: a.storage === true && b.storage === true,
  });
}

export function union(a: Permissions, b: Permissions): Permissions {
  const more = difference(b, a);
  return compact({
    net: [...(a.net ?? []), ...(more.net ?? [])],
    connect: [...(a.connect ?? []), ...(more.connect ?? [])],
    storage: a.storage === true || b.storage === true,
  });
}

/** Reads what an admin sends as a grant: of the right shape, and nothing that `asked` does not hold. Pointers begin at `/permissions`. */
export function parseGrant(
  value: unknown,
  asked: Permissions,
): { readonly permissions: Permissions; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const none = { permissions: {}, problems };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push({
      pointer: '/permissions',
      message: 'must be an object with net, connect, storage',
      keyword: 'type',
    });
    return none;
  }
  const fields = value as Record<string, unknown>;
  for (const key of Object.keys(fields)) {
    if (key === 'net' || key === 'connect' || key === 'storage') continue;
    const pointer = `/permissions/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    problems.push({
      pointer,
      message: 'is not a permission; there are net, connect, storage',
      keyword: 'additionalProperties',
    });
  }
  const lists = Object.fromEntries(LISTS.map((list) => [list, parseList(fields[list], list, asked, problems)]));
  const storage = fields['storage'];
  if (storage !== undefined && typeof storage !== 'boolean') {
    problems.push({ pointer: '/permissions/storage', message: 'must be true or false', keyword: 'type' });
  } else if (storage === true && asked.storage !== true) {
    problems.push({ pointer: '/permissions/storage', message: 'is not asked for by the plugin', keyword: 'enum' });
  }
  return { permissions: compact({ ...lists, storage: storage === true }), problems };
}

function parseList(value: unknown, list: 'net' | 'connect', asked: Permissions, problems: Problem[]): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    problems.push({
      pointer: `/permissions/${list}`,
      message: 'must be a list of entries of the manifest',
      keyword: 'type',
    });
    return [];
  }
  const entries: string[] = [];
  value.forEach((entry: unknown, index) => {
    const pointer = `/permissions/${list}/${index}`;
    if (typeof entry !== 'string') problems.push({ pointer, message: 'must be a string', keyword: 'type' });
    else if (covers(asked, list, entry)) entries.push(entry);
    else {
      const known = asked[list]?.length ? `it asks for ${asked[list].join(', ')}` : 'it asks for none';
      problems.push({
        pointer,
        message: `"${entry.slice(0, 100)}" is not asked for by the plugin; ${known}`,
        keyword: 'enum',
      });
    }
  });
  return entries;
}

function covers(permissions: Permissions, list: 'net' | 'connect', entry: string): boolean {
  return isSubset({ [list]: [entry] }, permissions);
}

function compact(parts: { net?: string[]; connect?: string[]; storage: boolean }): Permissions {
  return {
    ...(parts.net?.length ? { net: [...new Set(parts.net)] } : {}),
    ...(parts.connect?.length ? { connect: [...new Set(parts.connect)] } : {}),
    ...(parts.storage ? { storage: true } : {}),
  };
}
