import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LANE_SLOTS } from '../../src/runtime/protocol/worker.ts';

// The wall behind the compartment, alone: the attack runs in the realm that holds the compartments, as if it had got out of one. It has this thread, and
// must not get further: not to a module of Node, not to the process, not to the host.

const FOLDER = fileURLToPath(new URL('../../dist/engine/', import.meta.url));

/** Starts a lane as Piscina does, and then runs in its realm what it is sent. */
const RUNNER = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData.sandbox).then(({ default: lane }) => {
    parentPort.on('message', async (message) => {
      if (message.port !== undefined) return void lane(message);
      const late = new Promise((resolve) => setTimeout(resolve, 500, 'held'));
      let got = 'held';
      try {
        const value = await Promise.race([(0, eval)(message.code)(workerData.targets), late]);
        if (value !== undefined && value !== null && value !== false && value !== '') got = 'got ' + String(value).slice(0, 60);
        if (value === 'held') got = 'held';
      } catch {}
      parentPort.postMessage(got);
    });
    parentPort.postMessage('loaded');
  });`;

const ATTACKS: ReadonlyArray<readonly [what: string, code: string]> = [
  ['ask the process for a module', `() => process.getBuiltinModule('fs')`],
  ['ask the process for a module by its prototype', `() => Object.getPrototypeOf(process).getBuiltinModule?.('fs')`],
  ['ask the constructor of the process for a module', `() => process.constructor.getBuiltinModule?.('fs')`],
  ['take an internal binding', `() => process.binding('fs')`],
  ['take a linked binding', `() => process._linkedBinding('fs')`],
  ['load an addon', `() => process.dlopen({ exports: {} }, '/lib/x.node') ?? 'loaded'`],
  ['import a module of Node', `() => import('node:fs')`],
  ['import a module of Node in new code', `() => new Function('return import("node:fs")')()`],
  [
    'import a module of Node in code of another kind',
    `() => (async () => {}).constructor('return import("node:child_process")')()`,
  ],
  ['import text as a module', `() => import('data:text/javascript,export default 1')`],
  ['import a file of the engine', `() => import(${JSON.stringify(path.join(FOLDER, 'main.js'))})`],
  ['find require', `() => (typeof require === 'function' ? require('fs') : process.mainModule?.require('fs'))`],
  ['find require on a module', `() => (typeof module === 'object' ? module.constructor._load('fs') : null)`],
  ['find a module in what was loaded', `() => process.moduleLoadList`],
  ['find the handles of the process', `() => process._getActiveHandles()`],
  [
    'find functions on the stack',
    `() => { let found; const before = Error.prepareStackTrace; try { Error.prepareStackTrace = (_, sites) => sites; found = new Error().stack.map?.((site) => site.getFunction() ?? site.getThis()).find((one) => one && one !== globalThis); } finally { Error.prepareStackTrace = before; } return found; }`,
  ],
  ['signal the host', `({ host }) => process.kill(host, 0)`],
  ['signal the host by the raw function', `({ host }) => process._kill(host, 0) === 0`],
  ['start the debugger of the host', `({ host }) => process._debugProcess(host) ?? 'started'`],
  ['become another program', `() => process.execve('/bin/true', ['true'], {}) ?? 'became'`],
  ['read an environment', `() => Object.keys(process.env).join()`],
  ['load an environment', `() => process.loadEnvFile('/etc/environment') ?? 'loaded'`],
  ['get a report of the process', `() => process.report.getReport()`],
  ['read standard input', `() => process.stdin?.fd`],
  ['change its user', `() => process.setuid(1) ?? 'changed'`],
  ['start a thread', `() => (typeof Worker === 'function' ? new Worker('0') : null)`],
  ['fetch', `async ({ port }) => (await fetch('http://127.0.0.1:' + port)).status`],
  [
    'open a WebSocket',
    `({ port }) => new Promise((resolve, reject) => { const web = new WebSocket('ws://127.0.0.1:' + port); web.addEventListener('open', () => resolve('open')); web.addEventListener('error', reject); })`,
  ],
  ['keep something in storage', `() => { localStorage.setItem('a', 'b'); return localStorage.getItem('a'); }`],
  ['change an intrinsic', `() => { Array.prototype.push = () => 'mine'; return [].push(1) === 'mine'; }`],
  ['see writes to an intrinsic', `() => Reflect.defineProperty(Object.prototype, 'seen', { set() {} })`],
];

describe('code that has got out of its compartment', () => {
  let worker: Worker;
  let server: Server;
  let reached = 0;

  beforeAll(async () => {
    server = createServer((_request, response) => {
      reached += 1;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    worker = new Worker(RUNNER, {
      eval: true,
      env: {},
      // Those of `engine-process/confine.ts`.
      execArgv: [
        '--permission',
        `--allow-fs-read=${FOLDER}`,
        `--import=${pathToFileURL(path.join(FOLDER, 'confine.js')).href}`,
      ],
      workerData: {
        sandbox: path.join(FOLDER, 'sandbox.js'),
        targets: { host: process.pid, port: (server.address() as AddressInfo).port },
      },
    });
    await said();
    const { port1, port2 } = new MessageChannel();
    const start = {
      port: port2,
      digest: 'd',
      name: 'n',
      version: '1.0.0',
      code: '',
      claims: new SharedArrayBuffer(LANE_SLOTS * 4),
    };
    const ready = new Promise((resolve) => port1.once('message', resolve));
    worker.postMessage(start, [port2]);
    await ready;
    port1.unref();
  });
  afterAll(async () => {
    await worker.terminate();
    server.close();
  });

  function said(): Promise<unknown> {
    return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  }

  test('is in the realm that it should be in: it finds what only that has', async () => {
    worker.postMessage({ code: `() => typeof lockdown + typeof Compartment + process.pid` }, []);
    expect(await said()).toBe(`got functionfunction${process.pid}`);
  });

  test.each(ATTACKS)('cannot %s', async (_what, code) => {
    const answer = said();
    worker.postMessage({ code }, []);
    expect(await answer).toBe('held');
  });

  test('has reached nobody', () => expect(reached).toBe(0));
});
