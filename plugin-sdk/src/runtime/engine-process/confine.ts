import module, { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import v8 from 'node:v8';
import threads from 'node:worker_threads';

/**
 * Loaded before anything else in an engine process, and in each of its threads. Node's permission model leaves three ways out of a process that may start threads; they are closed
 * here, before any other code has run:
 * - a thread that is started with `execArgv: []` has none of its process's restrictions: every thread gets its own;
 * - signals, the debugger's included, reach every process of the same user;
 * - V8's flags are those of the whole process, and some of them give up memory safety.
 */

const own = process.pid;
const { construct } = Reflect;
const NativeWorker = threads.Worker;
/** Fewer rights than the engine's own: a thread starts no threads. */
const execArgv = Object.freeze([
  '--permission',
  `--allow-fs-read=${import.meta.dirname}`,
  `--import=${import.meta.url}`,
]);

function Worker(file: string | URL, options?: object): threads.Worker {
  const confined = { ...options, execArgv: [...execArgv], env: {} };
  return construct(NativeWorker, [file, confined], new.target ?? Worker) as threads.Worker;
}
Worker.prototype = NativeWorker.prototype;
Object.defineProperty(NativeWorker.prototype, 'constructor', { value: Worker });
replace(threads, 'Worker', Worker);

const raw = process as unknown as Record<string, unknown> & {
  _kill: (pid: number, signal: number) => number;
};
const sendSignal = raw._kill;
const EPERM = -os.constants.errno.EPERM;
replace(raw, '_kill', (pid: number, signal: number) => (pid === own ? sendSignal(pid, signal) : EPERM));
for (const name of ['_debugProcess', '_debugEnd']) replace(raw, name, refuse);
replace(os, 'setPriority', refuse);
replace(v8, 'setFlagsFromString', refuse);
// Its hooks run in a thread of Node's own, which this file is not loaded in.
replace(module, 'register', refuse);
syncBuiltinESMExports();

function refuse(): never {
  throw new Error('an engine process may not do this');
}

function replace(holder: object, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, writable: false, enumerable: true, configurable: false });
}
