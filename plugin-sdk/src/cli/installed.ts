import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { SDK_ROOT } from '../build/package-root.ts';

/** Folder of a package as seen from a project, else as seen from the SDK itself; `null` when it is nowhere. */
export function findPackage(projectDir: string, name: string): string | null {
  return installedIn(projectDir, name) ?? installedIn(SDK_ROOT, name);
}

/** Folder of a package in the `node_modules` of a folder or above it. */
export function installedIn(folder: string, name: string): string | null {
  const places = createRequire(path.join(folder, 'index.js')).resolve.paths(name) ?? [];
  return (
    places.map((place) => path.join(place, name)).find((place) => existsSync(path.join(place, 'package.json'))) ?? null
  );
}
