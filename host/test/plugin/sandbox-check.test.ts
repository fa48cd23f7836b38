import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createEngine, type Engine } from '@goflow/plugin-sdk/runtime';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createLogging } from '../../src/core/log.ts';
import { createPlugins } from '../../src/plugin/plugins.ts';
import { bundleBytes, bundleText } from './support/bundle.ts';
import { BOOTSTRAP, CTX, temporaryFolder } from './support/host.ts';
import { openCleanStore } from './support/store.ts';

// The real sandbox, in place of the stand-in of the other tests.
let engine: Engine;
beforeAll(() => {
  engine = createEngine();
});
afterAll(() => engine.shutdown());

async function open(prepare: (pluginsDir: string) => void = () => undefined) {
  const root = temporaryFolder();
  const pluginsDir = path.join(root, 'plugins');
  mkdirSync(pluginsDir);
  prepare(pluginsDir);
  const store = await openCleanStore();
  const logging = createLogging({ level: 'error', levels: {}, write: () => undefined });
  const options = { store, engine, log: logging.for('plugin'), firstPartyDigests: new Set<string>() };
  return createPlugins({ ...options, pluginsDir, dataDir: path.join(root, 'data') });
}

describe('in the sandbox', () => {
  test('sound code is installed and listed', async () => {
    const plugins = await open();
    const result = await plugins.install(CTX, BOOTSTRAP, bundleBytes({ actions: { send: {}, verify: {} } }));
    expect(result).toMatchObject({ created: true, state: 'enabled' });
    expect(plugins.actions('default').map(({ id }) => id)).toEqual(['send', 'verify']);
    await plugins.close();
  });

  test('code that throws, does not end, eats memory, wants the host or exports something else is refused with the reason', async () => {
    const plugins = await open();
    const cases: ReadonlyArray<readonly [name: string, code: string, reason: RegExp]> = [
      ['throws', 'throw new TypeError("no such luck")', /no such luck/],
      ['syntax', 'this is not a program', /cannot be loaded in the sandbox/],
      ['endless', 'for (;;) {}', /does not end within 5 s/],
      ['hungry', 'const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1));', /OUT_OF_MEMORY|does not end/],
      ['curious', 'process.exit(0)', /cannot be loaded in the sandbox/],
      ['empty', '', /has no "actions"/],
      [
        'other',
        'exports.default = { name: "other", version: "1.0.0", actions: { other: { run() {} } } }',
        /has the actions other/,
      ],
      [
        'liar',
        'exports.default = { name: "email", version: "1.0.0", actions: { send: { run() {} } } }',
        /defines email 1\.0\.0/,
      ],
    ];
    const outcomes = await Promise.allSettled(
      cases.map(([name, code]) => plugins.install(CTX, BOOTSTRAP, bundleBytes({ name, code }))),
    );
    cases.forEach(([name, , reason], index) => {
      const outcome = outcomes[index];
      expect({ name, status: outcome?.status }).toEqual({ name, status: 'rejected' });
      expect((outcome as PromiseRejectedResult).reason).toMatchObject({
        code: 'BUNDLE_REFUSED',
        message: expect.stringMatching(reason) as string,
      });
    });
    expect(plugins.list('default')).toEqual([]);
    await plugins.close();
  });

  test('a file of the directory whose code throws is refused, the others are there', async () => {
    const plugins = await open((dir) => {
      writeFileSync(path.join(dir, 'a.goflow.json'), bundleText({ name: 'bad', code: 'throw new Error("not today")' }));
      writeFileSync(path.join(dir, 'b.goflow.json'), bundleText());
    });
    await vi.waitFor(
      () =>
        expect(plugins.list('default')).toMatchObject([
          { name: 'email', state: 'enabled' },
          { state: 'refused', file: 'a.goflow.json', reason: expect.stringContaining('not today') as string },
        ]),
      { timeout: 20_000, interval: 20 },
    );
    await plugins.close();
  });
});
