// What code tries that has taken over an engine process, or a worker thread of it. Each attack returns what it got; a throw or nothing means that
// the wall held. Run as the main script of a process; `targets` come as its second argument.
import { writeSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const targets = JSON.parse(isMainThread ? process.argv[2] : workerData.targets);
const get = (name) => process.getBuiltinModule(name);
const fs = get('fs');
const net = get('net');
const children = get('child_process');
const threads = get('worker_threads');
const inspector = get('inspector');
const { file, folder, port, udpPort, socket, host } = targets;

/** Runs `source` in a thread and gives what it posts. */
function inThread(source, options, Thread = threads.Worker) {
  return new Promise((resolve, reject) => {
    const thread = new Thread(source, { eval: true, stderr: true, ...options });
    thread.on('message', resolve).on('error', reject);
    thread.on('exit', () => reject(new Error('ended')));
  });
}

function once(emitter, event) {
  return new Promise((resolve, reject) => {
    emitter.once(event, () => resolve(event));
    emitter.once('error', reject);
  });
}

const readInThread = `require('node:worker_threads').parentPort.postMessage(require('node:fs').readFileSync(${JSON.stringify(file)}, 'utf8'))`;

const attacks = {
  'read a file outside': () => fs.readFileSync(file, 'utf8'),
  'read a file by a path as bytes': () => fs.readFileSync(Buffer.from(file), 'utf8'),
  'read a file by dots': () => fs.readFileSync(`${import.meta.dirname}/../../../../../../..${file}`, 'utf8'),
  'read a file by dots in bytes': () =>
    fs.readFileSync(new TextEncoder().encode(`${import.meta.dirname}/../../../../../..${file}`)),
  'read a file by a URL': () => fs.readFileSync(new URL(`file://${file}`), 'utf8'),
  'read a file later': () => fs.promises.readFile(file, 'utf8'),
  'open a file as a blob': async () => (await fs.openAsBlob(file)).text(),
  'load a file as a module': () => import(file),
  'load a file by require': () => get('module').createRequire(import.meta.url)(file),
  'load a file of environment variables': () => process.loadEnvFile(file) ?? 'loaded',
  'list a folder': () => fs.readdirSync(folder)[0],
  'find files by a pattern': () => fs.globSync(`${folder}/*`)[0],
  'watch a folder': () => fs.watch(folder),
  'look at a file': () => fs.statSync(file).size,
  'read the memory of the host': () => fs.openSync(`/proc/${host}/mem`),
  'read the environment of the host': () => fs.readFileSync(`/proc/${host}/environ`, 'utf8'),
  'read its own environment': () => Object.keys(process.env).join(),
  'read its own memory': () => fs.openSync('/proc/self/mem'),
  'write a file': () => fs.writeFileSync(`${folder}/written`, 'x') ?? 'written',
  'write a file of its own code': () => fs.appendFileSync(import.meta.filename, '\n') ?? 'written',
  'make a folder': () => fs.mkdtempSync(`${folder}/x`),
  'make a link to a file': () => fs.symlinkSync(file, `${folder}/link`) ?? 'linked',
  'remove a file': () => {
    fs.rmSync(file);
    fs.writeFileSync(file, 'CANARY=1');
    return 'removed';
  },
  'change the mode of a file': () => fs.chmodSync(file, 0o777) ?? 'changed',
  'change its own code through a descriptor': () =>
    fs.fchmodSync(fs.openSync(import.meta.filename, 'r'), 0o666) ?? 'changed',
  'write a heap snapshot': () => get('v8').writeHeapSnapshot(`${folder}/heap`),
  'write a report': () => process.report.writeReport(`${folder}/report.json`),
  'change its folder': () => process.chdir(folder) ?? 'changed',
  'run a program': () => children.execFileSync(process.execPath, ['-p', '1']).toString(),
  'fork itself': () => children.fork(import.meta.filename, { silent: true }).pid,
  'start a cluster': () => get('cluster').fork().process.pid,
  'become a program': () => (targets.plain === true ? null : process.execve?.('/bin/true', ['true'], {})),
  'load a native addon': () => process.dlopen({ exports: {} }, `${folder}/x.node`) ?? 'loaded',
  'load a native addon by require': () => get('module').createRequire(import.meta.url)(`${folder}/x.node`),
  'take an internal binding': () => Object.keys(process.binding('fs'))[0],
  'take a linked binding': () => process._linkedBinding('fs'),
  'start WASI': () => new (get('wasi').WASI)({ version: 'preview1' }),
  'open a TCP connection': () => once(net.connect(port, '127.0.0.1'), 'connect'),
  'open a TCP connection over TLS': () => once(get('tls').connect(port, '127.0.0.1'), 'connect'),
  'open a connection to a socket of the system': () => once(net.connect(socket), 'connect'),
  'listen on a port': () => once(net.createServer().listen(0), 'listening'),
  'listen on a socket of the system': () => once(net.createServer().listen(`${folder}/own.sock`), 'listening'),
  'send a datagram': () =>
    new Promise((resolve, reject) => {
      const udp = get('dgram').createSocket('udp4').on('error', reject);
      udp.send('x', udpPort, '127.0.0.1', (error) => (error ? reject(error) : resolve('sent')));
    }),
  'resolve a name': async () => (await get('dns').promises.lookup('localhost')).address,
  'ask a name server': () => get('dns').promises.resolve4('localhost'),
  fetch: async () => (await fetch(`http://127.0.0.1:${port}/`)).status,
  'request over http': () => once(get('http').get(`http://127.0.0.1:${port}/`), 'response'),
  'request over http2': () => once(get('http2').connect(`http://127.0.0.1:${port}/`), 'connect'),
  'open a WebSocket': () =>
    new Promise((resolve, reject) => {
      const web = new WebSocket(`ws://127.0.0.1:${port}/`);
      web.addEventListener('open', resolve);
      web.addEventListener('error', reject);
    }),
  'open the inspector': () => inspector.open(0) && inspector.url(),
  'connect to the inspector': () => new inspector.Session().connect() ?? 'connected',
  'connect to the inspector of the main thread': () => new inspector.Session().connectToMainThread() ?? 'connected',
  'start the debugger of the host': () => process._debugProcess(host) ?? 'started',
  'look for the host by a signal': () => process.kill(host, 0),
  'send a signal to the host by the raw function': () => (process._kill(host, 0) === 0 ? 'sent' : null),
  'send a signal to its group': () => process.kill(0, 0),
  'slow the host down': () => get('os').setPriority(host, 19) ?? 'slowed',
  'give up memory safety': () => get('v8').setFlagsFromString('--allow-natives-syntax') ?? 'set',
  'start a thread that may everything': () => inThread(readInThread, { execArgv: [] }),
  'start a thread that grants itself reading': () =>
    inThread(readInThread, { execArgv: ['--permission', '--allow-fs-read=*'] }),
  'start a thread with an environment': () =>
    inThread(readInThread, { env: { NODE_OPTIONS: '--permission --allow-fs-read=*' }, execArgv: [] }),
  'start a thread by a subclass': () => inThread(readInThread, { execArgv: [] }, class extends threads.Worker {}),
  'start a thread by the constructor of another': () => {
    const Thread = Object.getPrototypeOf(threads.Worker.prototype).constructor.prototype.constructor;
    const thread = new threads.Worker('0', { eval: true });
    return inThread(readInThread, { execArgv: [] }, thread.constructor) ?? Thread;
  },
  'start a thread whose options change when they are read': () => {
    let reads = 0;
    return inThread(readInThread, {
      get execArgv() {
        return reads++ === 0 ? ['--permission'] : [];
      },
    });
  },
  'start a thread that starts a thread': () =>
    inThread(
      `const { Worker, parentPort } = require('node:worker_threads');
       new Worker(${JSON.stringify(readInThread)}, { eval: true, execArgv: [] }).on('message', (got) => parentPort.postMessage(got)).on('error', (e) => { throw e; });`,
      { execArgv: [] },
    ),
  'register module hooks, which run in a thread of their own': () => {
    get('module').register('data:text/javascript,export {}');
    return 'registered';
  },
  'read a database file': () => new (get('sqlite').DatabaseSync)(file),
  'keep compiled code': () => (get('module').enableCompileCache(`${folder}/cache`).status === 1 ? 'kept' : null),
};

// What a failed attack leaves behind (a child that ends, a socket that breaks) must not end the others.
process.on('uncaughtException', () => undefined);

const results = {};
for (const [name, attack] of Object.entries(attacks)) {
  let timer;
  try {
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(reject, 1500, new Error('nothing came'));
    });
    const got = await Promise.race([attack(), late]);
    results[name] = got === undefined || got === null || got === '' ? 'held' : `got ${String(got).slice(0, 60)}`;
  } catch {
    results[name] = 'held';
  }
  clearTimeout(timer);
}

if (!isMainThread) {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of a thread, not a window.
  parentPort.postMessage(results);
} else if (targets.thread === true) {
  const thread = new Worker(import.meta.filename, {
    workerData: { targets: JSON.stringify(targets) },
  });
  thread.once('message', report);
} else {
  report(results);
}

function report(found) {
  writeSync(2, `<<<${JSON.stringify(found)}>>>`);
  process.kill(process.pid, 'SIGKILL');
}
