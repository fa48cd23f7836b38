/** A path of a template as its keys; array indexes are keys of digits. */
export type Path = readonly string[];

export const ROOTS = ['params', 'steps', 'trigger', 'workflow', 'run', 'tenant'] as const;
export type RootName = (typeof ROOTS)[number];

/** Longest path, in characters. */
const MAX_PATH_LENGTH = 1000;
const KEY = /[\p{L}\p{N}_$@:-]+/uy;
const INDEX = /\[(0|[1-9][0-9]{0,15})\]/y;

/** `params.order.items[0].sku` as keys; null when it is no path. `a.0` and `a[0]` are the same. */
export function parsePath(text: string): Path | null {
  const source = text.trim();
  if (source.length > MAX_PATH_LENGTH) return null;
  const keys: string[] = [];
  let at = 0;
  while (at < source.length || keys.length === 0) {
    const index = keys.length > 0 ? matchAt(INDEX, source, at) : null;
    if (index !== null) {
      keys.push(index[1] as string);
      at += index[0].length;
      continue;
    }
    if (keys.length > 0) {
      if (source[at] !== '.') return null;
      at += 1;
    }
    const key = matchAt(KEY, source, at);
    if (key === null) return null;
    keys.push(key[0]);
    at += key[0].length;
  }
  return keys;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** An array index as a path has it: no sign, no leading zero. */
export function isIndex(key: string): boolean {
  return /^(0|[1-9][0-9]{0,15})$/.test(key);
}

/** The own member there, or undefined: no prototype is ever asked, arrays have nothing but their items. */
export function lookUp(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value) && !isIndex(key)) return undefined;
    if (!Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
