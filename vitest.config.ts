import { defineConfig } from 'vitest/config';

// Tests run the TypeScript sources of the host and the SDK; only what runs in another thread or process (engine, sandbox) is
// the built bundle, because that is what runs in production too.
export default defineConfig({
  resolve: { conditions: ['goflow-source'] },
  ssr: { resolve: { conditions: ['goflow-source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: [
      '{host,plugin-sdk}/test/**/*.test.ts',
      'plugins/*/test/**/*.test.ts',
      'examples/*/test/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
