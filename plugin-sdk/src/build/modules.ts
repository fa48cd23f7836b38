import { isBuiltin } from 'node:module';

/**
 * Names of Node modules that also are packages for any platform: an installed package of that name is bundled.
 * `node:` in front always means Node's own.
 */
const REPLACEABLE_MODULES = [
  'assert',
  'buffer',
  'events',
  'path',
  'punycode',
  'querystring',
  'string_decoder',
  'url',
  'util',
];

/** What a connector uses instead of a Node module. */
export const REFUSED_MODULES: ReadonlyArray<readonly [names: readonly string[], instead: string]> = [
  [['fs', 'fs/promises'], 'There is no file system: use ctx.storage for what has to last, or take the data as input.'],
  [['net', 'tls'], 'Use ctx.connect (TCP and TLS, with a "connect" permission).'],
  [['http', 'https', 'http2'], 'Use ctx.fetch (with a "net" permission).'],
  [['dgram', 'dns', 'dns/promises'], 'Use ctx.fetch or ctx.connect with a host name: names are resolved by the host.'],
  [['crypto'], 'Use globalThis.crypto (crypto.subtle, crypto.getRandomValues, crypto.randomUUID).'],
  [['buffer'], 'Use Uint8Array with TextEncoder, TextDecoder, atob and btoa; or install the package "buffer".'],
  [['events'], 'Use EventTarget; or install the package "events".'],
  [['path', 'path/posix', 'path/win32'], 'Use URL for addresses; or install the package "path-browserify".'],
  [['url'], 'Use the globals URL and URLSearchParams.'],
  [['querystring'], 'Use the global URLSearchParams.'],
  [
    ['util', 'util/types'],
    'Use the globals TextEncoder, TextDecoder and structuredClone; or install the package "util".',
  ],
  [['assert', 'assert/strict'], 'Throw a ConnectorError; or install the package "assert".'],
  [['timers', 'timers/promises'], 'Use ctx.sleep, setTimeout and setInterval.'],
  [
    ['stream', 'stream/promises', 'stream/web', 'stream/consumers'],
    'Use the globals ReadableStream, WritableStream and TransformStream.',
  ],
  [['string_decoder'], 'Use TextDecoder with { stream: true }.'],
  [['zlib'], 'Use the globals CompressionStream and DecompressionStream, or a package such as "fflate".'],
  [['process', 'os'], 'There is no process or environment: put settings into the input or the credential.'],
  [
    ['child_process', 'cluster', 'worker_threads', 'vm', 'inspector', 'repl', 'v8'],
    'A connector runs alone in its sandbox and starts nothing.',
  ],
  [
    ['async_hooks', 'diagnostics_channel', 'perf_hooks'],
    'Pass ctx on to the functions that need it; performance.now() is a global.',
  ],
  [['module'], 'Import what is needed statically: everything is bundled when the connector is built.'],
  [['sqlite'], 'Use ctx.storage.'],
];

const IN_PACKAGE =
  'Look for a version of the package for edge runtimes (the conditions "workerd", "worker" and "browser" are on), or for another package.';

/** Why an import that nothing was found for is refused, with what to use instead. `importer` is the file that asks. */
export function refusal(
  specifier: string,
  importer: string | undefined,
): { readonly message: string; readonly advice: string } {
  const name = specifier.replace(/^node:/, '');
  const foreign = importer !== undefined && importer.includes('node_modules/');
  if (specifier.startsWith('node:') || isBuiltin(specifier)) {
    const instead =
      REFUSED_MODULES.find(([names]) => names.includes(name))?.[1] ?? 'Use the globals of the web platform.';
    const replaceable = specifier.startsWith('node:') || !REPLACEABLE_MODULES.includes(name);
    const advice = replaceable ? instead.replace(/;? or install the package "[^"]+"\.$/, '.') : instead;
    return {
      message: `"${specifier}" is a Node module, which a connector does not have.`,
      advice: foreign ? `${IN_PACKAGE} ${advice}` : advice,
    };
  }
  if (specifier.startsWith('@goflow/plugin-sdk')) {
    return { message: `"${specifier}" is not for connectors.`, advice: 'Import from "@goflow/plugin-sdk".' };
  }
  if (/^[./]/.test(specifier))
    return { message: `"${specifier}" was not found.`, advice: 'Check the path and its extension.' };
  if (/^[a-z+.-]+:/i.test(specifier)) {
    return {
      message: `"${specifier}" cannot be bundled.`,
      advice: 'Install a package from npm and import it by name.',
    };
  }
  return {
    message: `The package "${specifier}" is not installed.`,
    advice: `Run: npm install ${packageName(specifier)}`,
  };
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
