import { existsSync } from 'node:fs';
import path from 'node:path';
import * as esbuild from 'esbuild';
import { applyEdits, type Edit, originalPosition, type SourceMap } from './edit.ts';
import { findEvasions } from './evade.ts';
import { refusal } from './modules.ts';
import { SDK_ROOT, sdkEntry } from './package-root.ts';
import { portablePath } from './paths.ts';
import { BuildError, type BuildProblem } from './problem.ts';
import { type BundledPackage, packagesOf } from './sbom.ts';

export interface BundledCode {
  /** Body of a function with the parameters `module` and `exports`. */
  readonly code: string;
  /** JSON text of its source map. */
  readonly map: string;
  /** The author's own source files (none of packages), absolute. */
  readonly ownFiles: readonly string[];
  /** What else is in it. */
  readonly packages: readonly BundledPackage[];
  readonly warnings: readonly BuildProblem[];
}

/** Bundles a connector from `entry` (absolute) into one script for the sandbox. */
export async function bundleCode(projectDir: string, entry: string): Promise<BundledCode> {
  const made = await runEsbuild(projectDir, entry, {});
  const first = findEvasions(made.code);
  const unknown = [...first.dynamicImports, ...patternImports(made.code)];
  if (unknown.length > 0) throw new BuildError(unknown.map((at) => dynamicImport(made, projectDir, at)));
  if (!first.inTaggedTemplate) return finish(made, first.edits, projectDir);
  const plain = await runEsbuild(projectDir, entry, { 'template-literal': false });
  return finish(plain, findEvasions(plain.code).edits, projectDir);
}

interface Made {
  readonly code: string;
  readonly map: SourceMap;
  /** Files that have code in it, and all that were read. */
  readonly inputs: readonly string[];
  readonly allInputs: readonly string[];
  readonly warnings: readonly BuildProblem[];
}

async function runEsbuild(projectDir: string, entry: string, supported: Record<string, boolean>): Promise<Made> {
  const result = await esbuild
    .build({
      absWorkingDir: projectDir,
      entryPoints: [entry],
      outfile: path.join(projectDir, 'plugin.js'),
      write: false,
      metafile: true,
      bundle: true,
      format: 'cjs',
      // For the "browser" map of package.json, which other platforms do not read; everything else is said below.
      platform: 'browser',
      conditions: ['workerd', 'worker', 'browser', 'module'],
      mainFields: ['browser', 'module', 'main'],
      target: 'es2024',
      charset: 'utf8',
      minifyWhitespace: true,
      legalComments: 'none',
      sourcemap: 'external',
      sourcesContent: false,
      // Settings of the author's shell must not get in: what libraries ask for is answered here.
      define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
      loader: { '.txt': 'text', '.md': 'text', '.html': 'text', '.svg': 'text' },
      supported,
      logLevel: 'silent',
      plugins: [ownModules],
    })
    .catch((error: unknown) => {
      throw translateFailure(error, projectDir);
    });
  const text = (suffix: string): string => result.outputFiles.find((file) => file.path.endsWith(suffix))?.text ?? '';
  const map = JSON.parse(text('.js.map')) as SourceMap;
  const directEvals = result.warnings.filter((warning) => warning.id === 'direct-eval');
  if (directEvals.length > 0) throw new BuildError(directEvals.map((warning) => toProblem(warning, projectDir)));
  return {
    code: text('.js'),
    map: { version: 3, sources: map.sources, names: map.names, mappings: map.mappings },
    // What tree-shaking left nothing of is not in the bundle.
    inputs: Object.values(result.metafile.outputs).flatMap((output) =>
      Object.entries(output.inputs)
        .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
        .map(([input]) => input),
    ),
    allInputs: Object.keys(result.metafile.inputs),
    warnings: result.warnings
      .filter((warning) => warning.id !== 'direct-eval')
      .map((warning) => toProblem(warning, projectDir)),
  };
}

/** Node modules for which packages get a stand-in in plain JavaScript that comes with this SDK. */
const STAND_INS: Readonly<Record<string, string>> = { buffer: 'buffer/', events: 'events/', stream: 'readable-stream' };
const RESOLVING = Symbol('resolving');

/** `@goflow/plugin-sdk` is our own copy; `cloudflare:sockets`, which libraries for edge runtimes import, is the global `connect`. */
const ownModules: esbuild.Plugin = {
  name: 'goflow',
  setup(build) {
    build.onResolve({ filter: /^@goflow\/plugin-sdk$/ }, () => ({ path: sdkEntry(), sideEffects: false }));
    build.onResolve({ filter: /^cloudflare:sockets$/ }, () => ({ path: 'sockets', namespace: 'goflow' }));
    build.onLoad({ filter: /^sockets$/, namespace: 'goflow' }, () => ({
      contents: 'export const connect = (address, options) => globalThis.connect(address, options);',
    }));
    build.onResolve(
      { filter: /^(?:node:)?(?:buffer|events|stream)$/ },
      async ({ path: asked, importer, resolveDir, kind, pluginData }) => {
        // An author's own code is told what to use instead.
        if (pluginData === RESOLVING || !importer.includes(`${path.sep}node_modules${path.sep}`)) return null;
        const name = asked.replace(/^node:/, '');
        const own = await build.resolve(name, { kind, importer, resolveDir, pluginData: RESOLVING });
        if (own.errors.length === 0 && !own.external) return own;
        return await build.resolve(STAND_INS[name] ?? name, { kind, resolveDir: SDK_ROOT, pluginData: RESOLVING });
      },
    );
  },
};

function finish(made: Made, evasions: readonly Edit[], projectDir: string): BundledCode {
  const { code, map } = applyEdits(made.code, made.map, [...evasions, ...modulePaths(made.code, projectDir)]);
  const ownFiles = made.allInputs
    .map((input) => path.resolve(projectDir, input))
    .filter(
      (file) =>
        !file.includes(`${path.sep}node_modules${path.sep}`) &&
        !portablePath(projectDir, file).startsWith('@goflow/') &&
        existsSync(file),
    );
  return {
    code,
    map: `${JSON.stringify({ version: 3, file: 'plugin.js', sources: map.sources.map((source) => portablePath(projectDir, source)), names: map.names, mappings: map.mappings })}\n`,
    ownFiles,
    packages: packagesOf(projectDir, made.inputs),
    warnings: made.warnings,
  };
}

/** esbuild names the file of each CommonJS module in the code; such a path would tell where on which machine it was built. */
function modulePaths(code: string, projectDir: string): Edit[] {
  return [...code.matchAll(/(?<=\b__(?:commonJS|esm)\w*\(\{)"((?:[^"\\]|\\.)*)"(?=\()/g)].map((match) => {
    const file = JSON.parse(match[0]) as string;
    const named = /^[\w-]{2,}:/.test(file) ? file : portablePath(projectDir, file);
    return { start: match.index, end: match.index + match[0].length, text: JSON.stringify(named) };
  });
}

/** Offsets of `import("./" + name)`, which esbuild turns into a table of every file that could be meant. */
function patternImports(code: string): number[] {
  if (!code.includes('__glob(')) return [];
  return [...code.matchAll(/\bglob(?:Import|Require)\w*(?=\()/g)].map((match) => match.index);
}

function dynamicImport(made: Made, projectDir: string, offset: number): BuildProblem {
  const origin = originalPosition(made.code, made.map, offset);
  return {
    ...(origin !== null && {
      file: portablePath(projectDir, origin.source),
      line: origin.line + 1,
      column: origin.column + 1,
    }),
    message: 'import() of something that is known only at run time cannot be bundled.',
    advice: 'Give it a literal, as import("./part.ts"), or choose between modules that are imported statically.',
  };
}

function translateFailure(error: unknown, projectDir: string): unknown {
  const failure = error as Partial<esbuild.BuildFailure>;
  if (!Array.isArray(failure.errors)) return error;
  return new BuildError(failure.errors.map((message) => toProblem(message, projectDir)));
}

function toProblem(message: esbuild.Message, projectDir: string): BuildProblem {
  const place = message.location;
  const file = place === null ? undefined : portablePath(projectDir, place.file);
  return {
    ...(place !== null && file !== undefined && { file, line: place.line, column: place.column + 1 }),
    ...describeMessage(message, file),
  };
}

function describeMessage(message: esbuild.Message, file: string | undefined): { message: string; advice?: string } {
  const missing = /^Could not resolve "(.+)"$/.exec(message.text)?.[1];
  if (missing !== undefined) return refusal(missing, file);
  if (message.id === 'direct-eval')
    return { message: 'eval() of new code is not available in a connector.', advice: 'Write the code out.' };
  const native = /^No loader is configured for ".node" files: (.+)$/.exec(message.text)?.[1];
  if (native !== undefined) {
    return {
      message: `"${path.basename(native)}" is a native addon, which a connector cannot load.`,
      advice: 'Use a package in plain JavaScript.',
    };
  }
  if (message.text.startsWith('Top-level await')) {
    return {
      message: 'await outside of a function is not available in a connector.',
      advice: 'Move it into the action.',
    };
  }
  return { message: /[.!?]$/.test(message.text) ? message.text : `${message.text}.` };
}
