import 'ses';
import { registerHooks } from 'node:module';
import { coarseTemporal } from './temporal.ts';

declare function lockdown(options: Readonly<Record<string, string>>): void;
declare function harden<T>(value: T): T;

/** Intrinsics that SES leaves to the start compartment, though frozen they hold no authority and libraries need them. */
const ENDOWED_INTRINSICS = [
  'Date',
  'Math',
  'Temporal',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'Intl',
  'WeakRef',
  'FinalizationRegistry',
] as const;

/**
 * Freezes the realm's intrinsics: after this no code, ours included, can change what `Array.prototype.map` is, so that every
 * compartment may share them. Nothing of a plugin may be read before.
 */
export function lockRealm(): Readonly<Record<string, unknown>> {
  lockdown({
    // Stacks would show paths of the host.
    errorTaming: 'safe',
    // Bundled libraries assign properties that also exist on frozen prototypes (`o.constructor = …`), which throws otherwise.
    overrideTaming: 'severe',
    // Dates and numbers formatted for a locale: SES replaces them for determinism, which we do not need.
    localeTaming: 'unsafe',
    // The worker has its own traps; SES's would print and end the process.
    errorTrapping: 'none',
    unhandledRejectionTrapping: 'none',
    reporting: 'none',
    consoleTaming: 'unsafe',
    domainTaming: 'unsafe',
  });
  const endowed: Record<string, unknown> = {};
  const globals = globalThis as unknown as Record<string, unknown>;
  for (const name of ENDOWED_INTRINSICS) {
    if (globals[name] !== undefined) endowed[name] = harden(globals[name]);
  }
  const { Temporal: temporal } = endowed;
  if (temporal !== undefined) endowed['Temporal'] = harden(coarseTemporal(temporal as Record<string, unknown>));
  return harden(endowed);
}

/**
 * Refuses every further module of this thread. The compartment already refuses source text with `import(`; this holds when a
 * spelling of it (`import.source(…)`) gets past that.
 */
export function refuseModules(): void {
  registerHooks({
    resolve() {
      throw new TypeError('a connector cannot import modules: they are bundled when it is built');
    },
  });
}

/**
 * What Node's `process` offers beside the events and times that our own code and Node's need. Whoever gets out of the compartment into this realm finds
 * no way from here to a module of Node, a signal or another program.
 */
const PROCESS_POWERS = [
  'getBuiltinModule',
  'binding',
  '_linkedBinding',
  'dlopen',
  'kill',
  '_kill',
  '_debugProcess',
  '_debugEnd',
  '_rawDebug',
  '_getActiveHandles',
  '_getActiveRequests',
  '_preload_modules',
  'moduleLoadList',
  'execve',
  'abort',
  'chdir',
  'umask',
  'setuid',
  'seteuid',
  'setgid',
  'setegid',
  'setgroups',
  'initgroups',
  'loadEnvFile',
  'openStdin',
  'stdin',
  'report',
  'permission',
  'setSourceMapsEnabled',
] as const;

/** Takes from `process` what nobody here needs. */
export function disarmProcess(): void {
  for (const name of PROCESS_POWERS) Reflect.deleteProperty(process, name);
}
