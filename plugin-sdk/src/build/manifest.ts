import { type Bundle, type BundleFileName, checkManifest, type Manifest, sha256 } from '../contract/index.ts';
import { findInSource } from './find-in-source.ts';
import { SDK_VERSION } from './package-root.ts';
import { BuildError, type BuildProblem } from './problem.ts';
import type { ProjectFiles } from './project-files.ts';

/**
 * The manifest of a definition, as it came out of the sandbox as JSON text: what the author wrote, with `sdk` and `digests`, and
 * author and license of package.json where the definition has none.
 *
 * @throws {BuildError} with every problem.
 */
export function makeManifest(
  definition: string,
  project: ProjectFiles,
  files: Bundle['files'],
  source: { readonly projectDir: string; readonly ownFiles: readonly string[] },
): Manifest {
  const value: unknown = JSON.parse(definition);
  const fail = (problems: readonly { pointer: string; message: string }[]): never => {
    throw new BuildError(problems.map((problem) => placed(problem, source)));
  };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail([
      { pointer: '', message: 'the default export is no connector; export default defineConnector({ … })' },
    ]);
  }
  for (const field of ['sdk', 'digests']) {
    if (Object.hasOwn(value, field)) fail([{ pointer: `/${field}`, message: 'is set by the build; leave it out' }]);
  }
  const { author, license } = project;
  const manifest = {
    ...(author !== undefined && { author }),
    ...(license !== undefined && { license }),
    ...value,
    sdk: SDK_VERSION,
    digests: Object.fromEntries(Object.entries(files).map(([name, text]) => [name as BundleFileName, sha256(text)])),
  };
  const problems = checkManifest(manifest);
  return problems.length === 0 ? (manifest as unknown as Manifest) : fail(problems);
}

function placed(
  problem: { pointer: string; message: string },
  source: { projectDir: string; ownFiles: readonly string[] },
): BuildProblem {
  const place = findInSource(source.projectDir, source.ownFiles, problem.pointer);
  const message = problem.pointer === '' ? `${problem.message}.` : `${problem.pointer} ${problem.message}.`;
  return { ...place, message };
}
