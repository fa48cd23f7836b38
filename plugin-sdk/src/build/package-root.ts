import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };

/** Version of this SDK; stands as `sdk` in each manifest that it makes. */
export const SDK_VERSION: string = packageJson.version;

const here = path.dirname(fileURLToPath(import.meta.url));

/** Folder of this package, from its sources as from its built files. */
export const SDK_ROOT: string = findRoot(here);

/** What `@goflow/plugin-sdk` means in a connector: always the copy of the command that builds, so that it fits the manifest's `sdk`. */
export function sdkEntry(): string {
  const built = path.join(SDK_ROOT, 'dist', 'index.js');
  const fromSource = here === path.join(SDK_ROOT, 'src', 'build');
  return fromSource || !existsSync(built) ? path.join(SDK_ROOT, 'src', 'index.ts') : built;
}

function findRoot(from: string): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json')) && existsSync(path.join(folder, 'bin', 'goflow-plugin.mjs'))) {
      return folder;
    }
    if (folder === path.dirname(folder))
      throw new Error(`the folder of @goflow/plugin-sdk was not found above ${from}`);
  }
}
