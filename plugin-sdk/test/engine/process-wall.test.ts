import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { engineArguments, engineEntry } from '../../src/runtime/engine/paths.ts';

// The wall of the engine process, alone: the attack is the process's main script, so there is no compartment and no worker in its way. The same attacks
// run without the wall first, so that one that does not even work in plain Node proves nothing here.

const ATTACKS = fileURLToPath(new URL('walls/attacks.mjs', import.meta.url));
const NAMES = [...readFileSync(ATTACKS, 'utf8').matchAll(/^ {2}'?([a-z][\w ,']*?)'?: (?:async )?\(\) =>/gim)].map(
  ([, name]) => name!,
);

/** What plain Node refuses as well, for reasons of its own. */
const NOT_IN_PLAIN_NODE = new Set([
  'read a file by dots in bytes',
  'load a file as a module',
  'load a file by require',
  'read the memory of the host',
  'read its own memory',
  'change its own code through a descriptor',
  'become a program',
  'load a native addon',
  'load a native addon by require',
  'take a linked binding',
  'open a TCP connection over TLS',
  'ask a name server',
  'fetch',
  'request over http',
  'open a WebSocket',
  'connect to the inspector of the main thread',
  'start the debugger of the host',
  'slow the host down',
  'read a database file',
  'start a thread that grants itself reading',
  'start a thread with an environment',
]);

type Results = Readonly<Record<string, string>>;

describe('code that has taken over an engine process', () => {
  let folder: string;
  let server: Server;
  const udp = createSocket('udp4');
  let reached = 0;
  let targets: Record<string, unknown>;
  let plain: Results;
  let main: Results;
  let thread: Results;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'goflow-wall-'));
    server = createServer((socket) => {
      reached += 1;
      socket.on('error', () => undefined).once('data', () => socket.destroy());
    });
    const local = createServer((socket) => {
      reached += 1;
      socket.destroy();
    });
    udp.on('message', () => (reached += 1));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
    const outside = path.join(folder, 'outside');
    mkdirSync(outside);
    const socket = path.join(folder, 'local.sock');
    await new Promise<void>((resolve) => local.listen(socket, resolve));
    server.on('close', () => local.close());
    targets = {
      file: path.join(outside, 'canary.txt'),
      folder: outside,
      port: (server.address() as { port: number }).port,
      udpPort: udp.address().port,
      socket,
      host: process.pid,
    };
    // Without the wall it may break what it likes, so it goes first; the canary is put back afterwards.
    const inside = path.join(folder, 'engine');
    mkdirSync(inside);
    const entry = path.join(inside, 'main.mjs');
    copyFileSync(ATTACKS, entry);
    copyFileSync(path.join(path.dirname(engineEntry()), 'confine.js'), path.join(inside, 'confine.js'));
    writeFileSync(String(targets['file']), 'CANARY=1\n');
    plain = await attack([entry, JSON.stringify({ ...targets, plain: true })], { ...process.env, CANARY: '1' });
    for (const name of readdirSync(outside)) rmSync(path.join(outside, name), { recursive: true });
    copyFileSync(ATTACKS, entry);
    writeFileSync(String(targets['file']), 'CANARY=1\n');
    reached = 0;
    [main, thread] = await Promise.all([
      attack(engineArguments(entry, targets), {}),
      attack(engineArguments(entry, { ...targets, thread: true }), {}),
    ]);
  }, 60_000);

  afterAll(() => {
    server.close();
    udp.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('tries something', () => {
    expect(NAMES.length).toBeGreaterThan(60);
    expect(Object.keys(plain)).toEqual(NAMES);
  });

  test.each(NAMES)('cannot %s', (name) => {
    if (!NOT_IN_PLAIN_NODE.has(name)) expect.soft(plain[name], 'without the wall').toMatch(/^got /);
    expect.soft(main[name], 'as the main script').toBe('held');
    expect.soft(thread[name], 'in a worker thread').toBe('held');
  });

  test('has left nothing behind, and reached nobody', () => {
    expect(readdirSync(path.join(folder, 'outside'))).toEqual(['canary.txt']);
    expect(existsSync(String(targets['file']))).toBe(true);
    expect(reached).toBe(0);
  });
});

/** Runs the attacks with these arguments of Node; gives what each one got. */
function attack(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Results> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe', 'overlapped'] });
    let said = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.on('close', () => {
      const results = /<<<(.*)>>>/s.exec(said)?.[1];
      if (results === undefined) reject(new Error(said.slice(0, 2000)));
      else resolve(JSON.parse(results) as Results);
    });
  });
}
