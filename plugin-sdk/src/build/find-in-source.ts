import { readFileSync } from 'node:fs';
import { portablePath } from './paths.ts';

/**
 * Where in the author's files a JSON Pointer of the definition leads: the keys of the pointer are looked for one after the other, as
 * they are written in an object literal. A guess that is right for definitions that are written out; `null` when there is none.
 */
export function findInSource(
  projectDir: string,
  files: readonly string[],
  pointer: string,
): { readonly file: string; readonly line: number; readonly column: number } | null {
  const keys = pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    .filter((key) => !/^\d+$/.test(key));
  let best: { file: string; line: number; column: number; depth: number } | null = null;
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    const root = text.indexOf('defineConnector(');
    let at = Math.max(root, 0);
    let depth = 0;
    for (const key of keys) {
      const found = findKey(text, key, at);
      if (found < 0) break;
      at = found;
      depth += 1;
    }
    if (depth === 0 && (root < 0 || best !== null)) continue;
    if (best !== null && best.depth >= depth) continue;
    const before = text.slice(0, at).split('\n');
    best = {
      file: portablePath(projectDir, file),
      line: before.length,
      column: (before.at(-1)?.length ?? 0) + 1,
      depth,
    };
  }
  return best === null ? null : { file: best.file, line: best.line, column: best.column };
}

function findKey(text: string, key: string, from: number): number {
  const name = key.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`(?<![\\w$.])(["']?)${name}\\1\\s*[:,}(]`, 'g');
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? -1;
}
