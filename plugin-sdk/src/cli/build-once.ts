import path from 'node:path';
import { buildConnector, writeConnector } from '../build/build-connector.ts';
import { describeIn } from '../build/describe-in.ts';
import { formatProblem } from '../build/problem.ts';
import { writeAtomically } from '../build/write-atomically.ts';
import type { Engine } from '../runtime/index.ts';
import type { Io } from './io.ts';
import { projectDir } from './project.ts';

export interface BuildArguments {
  /** Folder of the bundle, relative to the project. */
  readonly out: string;
  readonly entry: string | undefined;
  /** Put a software bill of materials into the bundle, and beside it. */
  readonly sbom: boolean;
  readonly json: boolean;
}

/** Builds and writes the bundle of the connector in this folder. */
export async function buildOnce(engine: Engine, options: BuildArguments, io: Io): Promise<void> {
  const began = performance.now();
  const dir = projectDir();
  const done = io.progress('building');
  const built = await buildConnector({
    dir,
    ...(options.entry !== undefined && { entry: options.entry }),
    sbom: options.sbom,
    describe: (bundle, timeoutMs) => describeIn(engine)(bundle, timeoutMs).finally(() => engine.close(bundle.digest)),
  }).finally(done);
  const file = await writeConnector(built, path.resolve(dir, options.out));
  const bom = built.bundle.files['sbom.json'];
  if (bom !== undefined) await writeAtomically(file.replace(/\.goflow\.json$/, '.cdx.json'), bom);
  for (const warning of built.warnings) io.say(`warning: ${formatProblem(warning)}`);

  const shown = path.relative(dir, file) || file;
  const bytes = Buffer.byteLength(built.text);
  const ms = Math.round(performance.now() - began);
  const { name, version } = built.manifest;
  if (options.json) io.data(JSON.stringify({ file, name, version, digest: built.digest, bytes, duration_ms: ms }));
  else io.say(`Built ${name} ${version}: ${shown} (${(bytes / 1024).toFixed(1)} kB, ${ms} ms)\n  ${built.digest}`);
}
