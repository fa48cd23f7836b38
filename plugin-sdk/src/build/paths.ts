import path from 'node:path';
import { SDK_ROOT } from './package-root.ts';

/**
 * A name for a source file that is the same on every machine and for every way of installing: relative to the project, below the last
 * `node_modules`, or just the file's own name when it lies elsewhere.
 */
export function portablePath(projectDir: string, file: string): string {
  const whole = path.resolve(projectDir, file);
  const inSdk = inside(SDK_ROOT, whole);
  if (inSdk !== null && !inSdk.startsWith('node_modules/') && !inSdk.startsWith('test/'))
    return `@goflow/plugin-sdk/${inSdk}`;
  const slashed = whole.replaceAll(path.sep, '/');
  const packages = slashed.lastIndexOf('/node_modules/');
  if (packages >= 0) return slashed.slice(packages + 1);
  return inside(projectDir, whole) ?? `outside/${path.basename(whole)}`;
}

function inside(folder: string, file: string): string | null {
  const relative = path.relative(folder, file);
  return relative.startsWith('..') || path.isAbsolute(relative) ? null : relative.replaceAll(path.sep, '/');
}
