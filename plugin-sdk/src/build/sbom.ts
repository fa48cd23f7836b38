import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SDK_VERSION } from './package-root.ts';
import { portablePath } from './paths.ts';

/** A package whose code is in a bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression of its package.json. */
  readonly license: string | null;
}

/** The packages that files of a bundle come from, each version once, in the order of their names. */
export function packagesOf(projectDir: string, files: readonly string[]): BundledPackage[] {
  const found = new Map<string, BundledPackage>();
  for (const file of files) {
    const one = portablePath(projectDir, file).startsWith('@goflow/plugin-sdk/')
      ? { name: '@goflow/plugin-sdk', version: SDK_VERSION, license: 'Apache-2.0' }
      : packageOf(path.resolve(projectDir, file));
    if (one !== null) found.set(`${one.name}@${one.version}`, one);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/** The nearest package.json with a name and a version, at or below the package's folder in `node_modules`. */
function packageOf(file: string): BundledPackage | null {
  const parts = file.split(path.sep);
  const modules = parts.lastIndexOf('node_modules');
  if (modules < 0) return null;
  for (let end = parts.length - 1; end > modules + 1; end--) {
    const manifest = path.join(parts.slice(0, end).join(path.sep), 'package.json');
    if (!existsSync(manifest)) continue;
    const { name, version, license } = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, unknown>;
    if (typeof name === 'string' && typeof version === 'string')
      return { name, version, license: typeof license === 'string' ? license : null };
  }
  return null;
}

/** A software bill of materials (CycloneDX 1.6) as JSON text. The same packages give the same text: it holds no time and no serial number. */
export function cycloneDx(
  connector: { readonly name: string; readonly version: string },
  packages: readonly BundledPackage[],
): string {
  const main = component('application', connector);
  const libraries = packages.map((one) => ({
    ...component('library', one),
    ...(one.license !== null && { licenses: [{ expression: one.license }] }),
  }));
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: main },
    components: libraries,
    dependencies: [{ ref: main['bom-ref'], dependsOn: libraries.map((one) => one['bom-ref']) }],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function component(type: string, { name, version }: { readonly name: string; readonly version: string }) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const [group, own] = name.startsWith('@') ? name.split('/') : [undefined, name];
  return { type, 'bom-ref': purl, ...(group !== undefined && { group }), name: own ?? name, version, purl };
}
