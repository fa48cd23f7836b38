// `npm test`: types, lint and format side by side with nothing else, then the whole suite. The last line is the count.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
// By path: these packages do not export their command files.
const module = (file) => path.join(root, 'node_modules', file);
const bin = (name) => path.join(root, 'node_modules', '.bin', name);
const report = path.join(root, '.build', 'test-report.json');

function run(label, command, args) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ label, ok: false, output: error.message, seconds: 0 }));
    child.on('close', (status) =>
      resolve({ label, ok: status === 0, output, seconds: (performance.now() - started) / 1000 }),
    );
  });
}

const filters = process.argv.slice(2);
const checks =
  filters.length > 0
    ? []
    : await Promise.all([
        run('types', process.execPath, [module('typescript/lib/tsc.js'), '-p', 'tsconfig.json']),
        run('types of connectors', process.execPath, [module('typescript/lib/tsc.js'), '-p', 'tsconfig.plugins.json']),
        run('lint', bin('oxlint'), ['--type-aware', '--deny-warnings']),
        run('format', bin('biome'), ['format']),
      ]);
for (const check of checks) {
  console.log(`${check.ok ? 'ok    ' : 'FAILED'} ${check.label} (${check.seconds.toFixed(1)} s)`);
  if (!check.ok) console.log(check.output);
}

rmSync(report, { force: true });
const vitest = module('vitest/vitest.mjs');
const suite = spawn(
  process.execPath,
  [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filters],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => suite.kill(signal));
const status = await new Promise((resolve) => suite.on('close', resolve));

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const check of checks) counts[check.ok ? 'passed' : 'failed'] += 1;
if (existsSync(report)) {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  counts.passed += result.numPassedTests;
  counts.failed += result.numFailedTests;
  counts.skipped += result.numPendingTests + (result.numTodoTests ?? 0);
}
// A file that fails before its first test, or a leak that vitest reports, fails no test by itself.
if (status !== 0 && counts.failed === 0) counts.failed = 1;
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
