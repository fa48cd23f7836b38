import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SDK_ROOT } from '../build/package-root.ts';
import { portablePath } from '../build/paths.ts';
import type { BuildProblem } from '../build/problem.ts';
import { Failure } from './failure.ts';
import { findPackage, installedIn } from './installed.ts';

/**
 * Type-checks a project with its own TypeScript, or with the one that comes along. Where the SDK is not installed beside the project, its
 * types are those of this command.
 */
export async function checkTypes(projectDir: string, entry: string): Promise<BuildProblem[]> {
  const typescript = findPackage(projectDir, 'typescript');
  if (typescript === null) throw new Failure('TypeScript was not found; run: npm install --save-dev typescript');
  const tsc = path.join(typescript, 'lib', 'tsc.js');
  const own = path.join(projectDir, 'tsconfig.json');
  const hasOwn = existsSync(own);
  if (hasOwn && installedIn(projectDir, '@goflow/plugin-sdk') !== null) {
    const output = await runTsc(
      [tsc, '-p', own, '--noEmit', '--incremental', 'false', '--composite', 'false'],
      projectDir,
    );
    return parseDiagnostics(output, projectDir);
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'goflow-check-'));
  try {
    const config = path.join(folder, 'tsconfig.json');
    await writeFile(config, JSON.stringify(borrowingConfig(hasOwn ? own : null, entry)));
    return parseDiagnostics(await runTsc([tsc, '-p', config], projectDir), projectDir);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The project's settings with the SDK's types of this command; without a tsconfig of its own, those of `init`. */
function borrowingConfig(own: string | null, entry: string): object {
  const borrowed = {
    ...borrowedTypes(),
    noEmit: true,
    incremental: false,
    composite: false,
    allowImportingTsExtensions: true,
  };
  if (own !== null) return { extends: own, compilerOptions: borrowed, files: [globalsFile()] };
  return { compilerOptions: { ...DEFAULTS, ...borrowed }, files: [globalsFile(), entry] };
}

const DEFAULTS = {
  target: 'es2024',
  lib: ['es2024'],
  module: 'esnext',
  moduleResolution: 'bundler',
  strict: true,
  skipLibCheck: true,
};

function borrowedTypes(): object {
  const built = path.join(SDK_ROOT, 'dist', 'types');
  const source = path.join(SDK_ROOT, 'src');
  const from = (name: string): string[] => {
    const declared = path.join(built, `${name}.d.ts`);
    return [existsSync(declared) ? declared : path.join(source, `${name}.ts`)];
  };
  return {
    types: [],
    paths: { '@goflow/plugin-sdk': from('index'), '@goflow/plugin-sdk/testing': from('testing/index') },
  };
}

function globalsFile(): string {
  const source = path.join(SDK_ROOT, 'src', 'globals.d.ts');
  return existsSync(source) ? source : path.join(SDK_ROOT, 'dist', 'types', 'globals.d.ts');
}

function runTsc(args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...args, '--pretty', 'false'], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.on('error', reject);
    child.on('close', (status) => {
      if (status !== 0 && !/error TS\d+:/.test(output))
        reject(new Failure(`TypeScript ended with status ${status}:\n${output}`));
      else resolve(output);
    });
  });
}

function parseDiagnostics(output: string, projectDir: string): BuildProblem[] {
  const problems: BuildProblem[] = [];
  for (const line of output.split(/\r?\n/)) {
    const placed = /^(?<file>.+?)\((?<line>\d+),(?<column>\d+)\): error (?<text>TS\d+: .*)$/.exec(line)?.groups;
    const bare = /^error (TS\d+: .*)$/.exec(line)?.[1];
    if (placed !== undefined) {
      const { file = '', text: said = '' } = placed;
      // The build tells of Node's modules, and what to use instead.
      if (/'node:[a-z_/]+'/.test(said)) continue;
      const text = said.replace(/ Do you need to (?:install type definitions|change your target).*$/, '');
      problems.push({
        file: portablePath(projectDir, file),
        line: Number(placed['line']),
        column: Number(placed['column']),
        message: text,
        ...hint(text),
      });
    } else if (bare !== undefined) problems.push({ message: bare });
  }
  return problems;
}

/** What a compiler cannot know: names of Node do not exist in a connector. */
function hint(text: string): { advice?: string } {
  const name = /Cannot find name '(process|Buffer|require|__dirname|__filename|global|setImmediate)'/.exec(text)?.[1];
  const ways: Readonly<Record<string, string>> = {
    process: 'There is no process or environment: put settings into the input or the credential.',
    Buffer: 'Use Uint8Array, TextEncoder, TextDecoder, atob and btoa.',
    require: 'Use import.',
    global: 'Use globalThis.',
    setImmediate: 'Use queueMicrotask or setTimeout.',
  };
  return name === undefined ? {} : { advice: ways[name] ?? 'A connector has no files.' };
}
