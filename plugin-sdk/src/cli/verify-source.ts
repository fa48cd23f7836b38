import { realpath } from 'node:fs/promises';
import { type BuiltConnector, buildConnector } from '../build/build-connector.ts';
import { describeIn } from '../build/describe-in.ts';
import { SDK_VERSION } from '../build/package-root.ts';
import { type Bundle, canonicalJson } from '../contract/index.ts';
import { Failure } from './failure.ts';
import { readBundleFile } from './inspect-bundle.ts';
import type { Io } from './io.ts';
import { withEngine } from './sandbox.ts';

/** Fails unless building the sources gives the bundle again, byte for byte of what its digest covers. */
export async function verifySource(file: string, source: string, entry: string | undefined, io: Io): Promise<void> {
  const { bundle, digest } = await readBundleFile(file);
  const dir = await realpath(source);
  const done = io.progress('building again');
  const built = await withEngine((engine) =>
    buildConnector({
      dir,
      ...(entry !== undefined && { entry }),
      sbom: bundle.files['sbom.json'] !== undefined,
      describe: describeIn(engine),
    }),
  ).finally(done);
  if (built.digest !== digest)
    throw new Failure(
      `${file} (${digest}) is not what ${source} gives (${built.digest}):\n${differences(bundle, built).join('\n')}`,
    );
  io.say(`${file} (${digest}) is what ${source} gives.`);
}

function differences(given: Bundle, { bundle: built }: BuiltConnector): string[] {
  const said: string[] = [];
  if (given.manifest.sdk !== SDK_VERSION)
    said.push(`  it was built with @goflow/plugin-sdk ${given.manifest.sdk}; this is ${SDK_VERSION}`);
  const fields = new Set([...Object.keys(given.manifest), ...Object.keys(built.manifest)]);
  for (const field of [...fields].filter((name) => name !== 'digests' && name !== 'sdk')) {
    const [a, b] = [given.manifest, built.manifest].map((manifest) =>
      canonicalJson((manifest as unknown as Record<string, unknown>)[field] ?? null),
    );
    if (a !== b) said.push(`  /manifest/${field} differs`);
  }
  const names = new Set([...Object.keys(given.files), ...Object.keys(built.files)]) as Set<keyof Bundle['files']>;
  for (const name of names) {
    const [a, b] = [given.files[name], built.files[name]];
    if (a === b) continue;
    if (a === undefined || b === undefined)
      said.push(`  ${name} is only in ${a === undefined ? 'the sources' : 'the bundle'}`);
    else said.push(`  ${name} differs from line ${firstDifference(a, b)} on`);
  }
  return said;
}

function firstDifference(a: string, b: string): number {
  const [left, right] = [a.split('\n'), b.split('\n')];
  return left.findIndex((line, index) => line !== right[index]) + 1 || left.length + 1;
}
