import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import {
  BUNDLE_FORMAT,
  type Bundle,
  bundleDigest,
  DEFAULT_LIMITS,
  LOAD_TIMEOUT_MS,
  MAX_BUNDLE_BYTES,
  type Manifest,
  serializeBundle,
  sha256,
} from '../contract/index.ts';
import type { Engine } from '../runtime/engine/types.ts';
import { bundleCode } from './bundle-code.ts';
import { makeManifest } from './manifest.ts';
import { portablePath } from './paths.ts';
import { BuildError, type BuildProblem } from './problem.ts';
import { readProjectFiles } from './project-files.ts';
import { cycloneDx } from './sbom.ts';
import { writeAtomically } from './write-atomically.ts';

export interface BuildOptions {
  /** Folder of the project: where package.json is. */
  readonly dir: string;
  /** Entry file, relative to `dir`. Default `src/index.ts`. */
  readonly entry?: string;
  /** Whether the bundle holds a software bill of materials (`sbom.json`). */
  readonly sbom?: boolean;
  /** The production sandbox: reads the definition out of the bundle without trusting it. */
  readonly describe: Engine['describe'];
}

export interface BuiltConnector {
  readonly manifest: Manifest;
  readonly bundle: Bundle;
  readonly digest: string;
  /** The text of the bundle file. */
  readonly text: string;
  /** `name-version.goflow.json`, with `@scope/name` as `scope-name`. */
  readonly fileName: string;
  readonly warnings: readonly BuildProblem[];
  /** The author's own source files, absolute. */
  readonly ownFiles: readonly string[];
}

/**
 * Builds a connector from its source, without writing anything. The same sources give the same text on every machine.
 *
 * @throws {BuildError} with everything that is wrong with the sources, each with its place.
 */
export async function buildConnector(options: BuildOptions): Promise<BuiltConnector> {
  const dir = await realpath(options.dir);
  const entry = path.resolve(dir, options.entry ?? path.join('src', 'index.ts'));
  if (!existsSync(entry)) {
    throw new BuildError([
      {
        file: portablePath(dir, entry),
        message: 'does not exist.',
        advice: 'Name the entry file with --entry, or run this in the folder of a connector.',
      },
    ]);
  }
  // First: esbuild reads package.json too, and would tell of its faults in words of its own.
  const project = await readProjectFiles(dir);
  const bundled = await bundleCode(dir, entry);
  const definition = await readDefinition(bundled.code, options.describe, portablePath(dir, entry));

  const files: Bundle['files'] = {
    'plugin.js': bundled.code,
    'plugin.js.map': bundled.map,
    ...project.files,
    ...(options.sbom === true && { 'sbom.json': cycloneDx(nameOf(definition), bundled.packages) }),
  };
  const manifest = makeManifest(definition, project, files, { projectDir: dir, ownFiles: bundled.ownFiles });
  const bundle: Bundle = { format: BUNDLE_FORMAT, manifest, files, signatures: [] };
  const text = serializeBundle(bundle);
  const size = Buffer.byteLength(text);
  if (size > MAX_BUNDLE_BYTES) {
    throw new BuildError([
      {
        message: `The bundle has ${size} bytes; ${MAX_BUNDLE_BYTES} are allowed.`,
        advice: 'Leave out large packages and data.',
      },
    ]);
  }
  return {
    manifest,
    bundle,
    digest: bundleDigest(bundle),
    text,
    fileName: bundleFileName(manifest),
    warnings: bundled.warnings,
    ownFiles: bundled.ownFiles,
  };
}

/** Writes a built connector into `outDir` and gives the path of the file. */
export async function writeConnector(built: BuiltConnector, outDir: string): Promise<string> {
  const file = path.join(outDir, built.fileName);
  await writeAtomically(file, built.text);
  return file;
}

/** `@acme/crm` 1.0.0 → `acme-crm-1.0.0.goflow.json`. */
export function bundleFileName(manifest: Pick<Manifest, 'name' | 'version'>): string {
  return `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.goflow.json`;
}

/** Name and version of a definition that has yet to be checked. */
function nameOf(definition: string): { readonly name: string; readonly version: string } {
  const { name, version } = (JSON.parse(definition) ?? {}) as { name?: unknown; version?: unknown };
  return { name: String(name), version: String(version) };
}

async function readDefinition(code: string, describe: Engine['describe'], entry: string): Promise<string> {
  const bundle = { digest: sha256(code), name: 'build', version: '0.0.0', code, limits: DEFAULT_LIMITS };
  try {
    return await describe(bundle, LOAD_TIMEOUT_MS);
  } catch (error) {
    const reason =
      typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
    throw new BuildError([{ file: entry, message: `The connector cannot be loaded in the sandbox: ${reason}` }]);
  }
}
