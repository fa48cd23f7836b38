import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SDK_ROOT } from '../build/package-root.ts';
import { Failure } from './failure.ts';
import { findPackage, installedIn } from './installed.ts';
import type { Io } from './io.ts';
import { projectDir } from './project.ts';

/** Runs the project's tests with vitest; its report goes to the terminal as it is. */
export async function testProject(_io: Io): Promise<void> {
  const dir = projectDir();
  const vitest = findPackage(dir, 'vitest');
  if (vitest === null) throw new Failure('vitest was not found; run: npm install --save-dev vitest');
  const folder = await mkdtemp(path.join(tmpdir(), 'goflow-test-'));
  try {
    const config = ownConfig(dir) ? [] : ['--config', await writeConfig(folder, dir, vitest)];
    const status = await runVitest([path.join(vitest, 'vitest.mjs'), 'run', '--root', dir, ...config], dir);
    if (status !== 0) throw new Failure('Tests failed.');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function ownConfig(dir: string): boolean {
  return ['vitest.config.ts', 'vitest.config.mts', 'vitest.config.js', 'vitest.config.mjs'].some((name) =>
    existsSync(path.join(dir, name)),
  );
}

/** A project without an installation of its own borrows vitest and the SDK from this command. */
async function writeConfig(folder: string, dir: string, vitest: string): Promise<string> {
  const alias: Array<{ find: string; replacement: string }> = [];
  if (installedIn(dir, '@goflow/plugin-sdk') === null) {
    for (const [name, file] of [
      ['/testing', 'testing'],
      ['', 'index'],
    ] as const) {
      const built = path.join(SDK_ROOT, 'dist', `${file}.js`);
      alias.push({ find: `@goflow/plugin-sdk${name}`, replacement: built });
    }
  }
  if (installedIn(dir, 'vitest') === null)
    alias.push({ find: 'vitest', replacement: path.join(vitest, 'dist', 'index.js') });
  const config = {
    test: { include: ['test/**/*.test.ts', 'src/**/*.test.ts'], testTimeout: 30_000, hookTimeout: 30_000 },
    resolve: { alias },
    server: { fs: { strict: false } },
  };
  const file = path.join(folder, 'vitest.config.mjs');
  await writeFile(file, `export default ${JSON.stringify(config)};\n`);
  return file;
}

function runVitest(args: readonly string[], cwd: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (status) => resolve(status ?? 1));
  });
}
