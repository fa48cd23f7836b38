// Builds everything into the packages' dist folders with esbuild; `--only=engine|sdk|host|plugins|types` builds one part.
// The engine and sandbox are one file each, so that an engine process may be allowed to read exactly its own code and nothing else.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const only = process.argv.find((arg) => arg.startsWith('--only='))?.slice('--only='.length);
const at = (...parts) => path.join(root, ...parts);
const require = createRequire(import.meta.url);

/** What ships with the host. The host grants these, and only these, what they ask for. */
const FIRST_PARTY = ['email', 'http', 'transform', 'testing'];

const common = {
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  conditions: ['goflow-source'],
  legalComments: 'none',
  sourcemap: 'linked',
  logLevel: 'warning',
  // CommonJS packages inside an ES module bundle ask for these.
  banner: {
    js: "import{createRequire as __cr}from'node:module';import{fileURLToPath as __fu}from'node:url';import{dirname as __dn}from'node:path';const require=__cr(import.meta.url),__filename=__fu(import.meta.url),__dirname=__dn(__filename);",
  },
};

/** The guest half of the sandbox runs inside the compartment: it is built first and put into the worker's bundle as text. */
const guestAsText = {
  name: 'guest-as-text',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^goflow:guest$/ }, () => ({ path: 'guest', namespace: 'goflow' }));
    pluginBuild.onLoad({ filter: /.*/, namespace: 'goflow' }, async () => {
      const guest = await build({
        entryPoints: [at('plugin-sdk/src/runtime/sandbox/guest/main.ts')],
        bundle: true,
        write: false,
        platform: 'neutral',
        mainFields: ['module', 'main'],
        target: 'es2024',
        format: 'iife',
        globalName: 'goflowGuest',
        minifyWhitespace: true,
        legalComments: 'none',
        logLevel: 'warning',
      });
      return { contents: guest.outputFiles[0].text, loader: 'text' };
    });
  },
};

const parts = {
  async engine() {
    await build({
      ...common,
      entryPoints: {
        main: at('plugin-sdk/src/runtime/engine-process/main.ts'),
        confine: at('plugin-sdk/src/runtime/engine-process/confine.ts'),
        sandbox: at('plugin-sdk/src/runtime/sandbox/worker.ts'),
      },
      outdir: at('plugin-sdk/dist/engine'),
      plugins: [guestAsText],
    });
    // Piscina starts its threads from a file `worker.js` beside its own.
    await build({
      ...common,
      entryPoints: { worker: path.join(path.dirname(require.resolve('piscina')), 'worker.js') },
      outdir: at('plugin-sdk/dist/engine'),
      // Only for Piscina's `niceIncrement`, which is not used; it is a native module.
      external: ['@napi-rs/nice'],
    });
  },

  async sdk() {
    // What goes into each connector: no Node, one file.
    await build({
      ...common,
      platform: 'neutral',
      target: 'es2024',
      banner: {},
      entryPoints: { index: at('plugin-sdk/src/index.ts') },
      outdir: at('plugin-sdk/dist'),
    });
    await build({
      ...common,
      entryPoints: {
        contract: at('plugin-sdk/src/contract/index.ts'),
        runtime: at('plugin-sdk/src/runtime/index.ts'),
        testing: at('plugin-sdk/src/testing/index.ts'),
        cli: at('plugin-sdk/src/cli/main.ts'),
      },
      outdir: at('plugin-sdk/dist'),
      splitting: true,
      chunkNames: 'chunks/[name]-[hash]',
      external: ['esbuild', 'typescript', 'vitest'],
    });
  },

  async host() {
    await build({
      ...common,
      entryPoints: { main: at('host/src/main.ts'), 'store-thread': at('host/src/store/sqlite/thread.ts') },
      outdir: at('host/dist'),
      splitting: true,
      chunkNames: 'chunks/[name]-[hash]',
      external: ['better-sqlite3', 'smtp-server', 'mailparser'],
    });
  },

  async plugins() {
    const { parseBundle } = await import(at('plugin-sdk/dist/contract.js'));
    const digests = [];
    for (const name of FIRST_PARTY) {
      const dist = at('plugins', name, 'dist');
      rmSync(dist, { recursive: true, force: true });
      const made = spawnSync(process.execPath, [at('plugin-sdk/dist/cli.js'), 'build'], {
        cwd: at('plugins', name),
        encoding: 'utf8',
      });
      if (made.status !== 0) throw new Error(`plugins/${name}: goflow-plugin build failed\n${made.stderr}`);
      for (const file of readdirSync(dist).filter((one) => one.endsWith('.goflow.json')))
        digests.push(parseBundle(readFileSync(path.join(dist, file))).digest);
    }
    mkdirSync(at('host/dist'), { recursive: true });
    writeFileSync(at('host/dist/first-party.json'), JSON.stringify(digests));
  },

  types() {
    const made = spawnSync(
      process.execPath,
      [at('node_modules/typescript/lib/tsc.js'), '-p', at('plugin-sdk/tsconfig.types.json')],
      { encoding: 'utf8' },
    );
    if (made.status !== 0) throw new Error(`types: tsc failed\n${made.stdout}`);
    // tsc does not copy declarations that were written by hand.
    copyFileSync(at('plugin-sdk/src/globals.d.ts'), at('plugin-sdk/dist/types/globals.d.ts'));
  },
};

const chosen = only === undefined ? ['engine', 'sdk', 'types', 'host', 'plugins'] : only.split(',');
for (const name of chosen) {
  if (!(name in parts)) {
    console.error(`build: no part "${name}"; there are ${Object.keys(parts).join(', ')}`);
    process.exit(2);
  }
  try {
    await parts[name]();
  } catch (error) {
    console.error(`build: ${name} failed: ${error.message}`);
    process.exit(1);
  }
}
