import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Plugins, RefusedView } from '../../src/plugin/types.ts';
import { type BundleSpec, bundleText } from './support/bundle.ts';
import { BOOTSTRAP, CTX, loadingEngine, openHost } from './support/host.ts';

function until(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 10_000, interval: 10 });
}

function version(plugins: Plugins, name = 'email'): string | undefined {
  return plugins.find('default', name)?.manifest.version;
}

function refused(plugins: Plugins): RefusedView[] {
  return plugins.list('default').filter((entry): entry is RefusedView => entry.state === 'refused');
}

/** A plugins directory with these files, by path. */
function withFiles(files: Readonly<Record<string, string | BundleSpec>>) {
  return ({ pluginsDir }: { readonly pluginsDir: string }) => {
    for (const [file, content] of Object.entries(files)) put(pluginsDir, file, content);
  };
}

function put(dir: string, file: string, content: string | BundleSpec): void {
  const target = path.join(dir, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, typeof content === 'string' ? content : bundleText(content));
}

describe('at the start', () => {
  test('every bundle directly in the directory and in the dist of a sub-folder is there', async () => {
    const { plugins } = await openHost({
      prepare: withFiles({
        'email.goflow.json': { name: 'email' },
        'sms/dist/sms.goflow.json': { name: 'sms' },
        'deep/er/dist/no.goflow.json': { name: 'too-deep' },
        'sms/no.goflow.json': { name: 'not-in-dist' },
        'other.json': { name: 'other-suffix' },
        '.hidden.goflow.json': { name: 'hidden' },
      }),
    });
    expect(plugins.list('default').map(({ name }) => name)).toEqual(['email', 'sms']);
    expect(plugins.list('acme')).toHaveLength(2);
  });

  test('only regular files count', async () => {
    const { plugins } = await openHost({
      prepare({ pluginsDir, dataDir }) {
        put(dataDir, 'outside.goflow.json', {});
        put(dataDir, 'folder/dist/outside.goflow.json', {});
        symlinkSync(path.join(dataDir, 'outside.goflow.json'), path.join(pluginsDir, 'link.goflow.json'));
        symlinkSync(path.join(dataDir, 'folder'), path.join(pluginsDir, 'linked-folder'));
        mkdirSync(path.join(pluginsDir, 'folder.goflow.json'));
        execFileSync('mkfifo', [path.join(pluginsDir, 'pipe.goflow.json')]);
        put(pluginsDir, 'sms.goflow.json', { name: 'sms' });
      },
    });
    expect(plugins.list('default').map(({ name }) => name)).toEqual(['sms']);
  });

  test('the directory itself may be a link', async () => {
    const { plugins } = await openHost({
      withoutPluginsDir: true,
      prepare({ pluginsDir, dataDir }) {
        put(dataDir, 'real/email.goflow.json', {});
        symlinkSync(path.join(dataDir, 'real'), pluginsDir);
      },
    });
    expect(version(plugins)).toBe('1.0.0');
  });

  test('a bad file is listed with its reason and logged; the others are there', async () => {
    const { plugins, logs } = await openHost({
      prepare: withFiles({
        'bad.goflow.json': '{"format":"goflow-bundle/1","manifest":{"name":"bad","version":"1.0.0"}}',
        'email.goflow.json': {},
        'x/dist/none.goflow.json': '',
      }),
    });
    expect(version(plugins)).toBe('1.0.0');
    expect(refused(plugins)).toMatchObject([
      {
        name: 'bad',
        version: '1.0.0',
        file: 'bad.goflow.json',
        reason: expect.stringContaining('/manifest/') as string,
      },
      {
        name: null,
        version: null,
        file: 'x/dist/none.goflow.json',
        reason: expect.stringContaining('not JSON') as string,
      },
    ]);
    expect(logs.filter(({ msg }) => msg === 'plugin refused')).toMatchObject([{ file: 'bad.goflow.json' }, {}]);
    expect(plugins.findAction('default', 'bad/send')).toMatchObject({
      reason: expect.stringContaining('its file bad.goflow.json was refused') as string,
    });
  });

  test('of two files with one name and version but other content, the first is taken', async () => {
    const { plugins, pluginsDir } = await openHost({
      prepare: withFiles({
        'a.goflow.json': { note: 'a' },
        'b.goflow.json': { note: 'b' },
        'c.goflow.json': { note: 'a' },
      }),
    });
    expect(refused(plugins)).toMatchObject([
      { file: 'b.goflow.json', name: 'email', reason: expect.stringMatching(/another digest.*a\.goflow/) as string },
    ]);
    // Without the first there is no conflict any more, save with its copy.
    rmSync(path.join(pluginsDir, 'a.goflow.json'));
    rmSync(path.join(pluginsDir, 'c.goflow.json'));
    await until(() => expect(refused(plugins)).toEqual([]));
    expect(plugins.find('default', 'email')?.bundle.code).toContain('/* b */');
  });

  test('code is checked behind the start, and what does not load is taken out again', async () => {
    const engine = loadingEngine();
    const gate = Promise.withResolvers<void>();
    engine.gate = gate.promise;
    const { plugins } = await openHost({
      engine,
      prepare: withFiles({
        'bad.goflow.json': { name: 'bad', code: 'throw new Error("not today")' },
        'email.goflow.json': {},
      }),
    });
    expect(plugins.list('default').map(({ state }) => state)).toEqual(['enabled', 'enabled']);
    gate.resolve();
    await until(() =>
      expect(refused(plugins)).toMatchObject([
        { name: 'bad', file: 'bad.goflow.json', reason: expect.stringContaining('not today') as string },
      ]),
    );
    expect(version(plugins)).toBe('1.0.0');
  });

  test('code that passed once is not run again by a restart', async () => {
    const host = await openHost({ prepare: withFiles({ 'email.goflow.json': {} }) });
    await until(() => expect(host.engine.described).toHaveLength(1));
    const again = await (await host.restart()).restart();
    await again.plugins.install(CTX, BOOTSTRAP, Buffer.from(bundleText()));
    expect(again.engine.described).toEqual([]);
  });

  test('a thousand bundles are all there', async () => {
    const { plugins } = await openHost({
      prepare(dirs) {
        for (let i = 0; i < 1000; i += 1) put(dirs.pluginsDir, `p${i}.goflow.json`, realistic(`p${i}`));
      },
    });
    expect(plugins.list('default')).toHaveLength(1000);
  });
});

function realistic(name: string): BundleSpec {
  const input = {
    type: 'object',
    required: ['to'],
    properties: { to: { type: 'string', format: 'email' }, retries: { type: 'integer', minimum: 0 } },
    additionalProperties: false,
  };
  return {
    name,
    actions: { send: { input, output: { type: 'object' } } },
    permissions: { net: [`${name}.example.com`] },
  };
}

describe('while the host runs', () => {
  test('a file that is added, replaced and deleted takes effect', async () => {
    const { plugins, engine, pluginsDir } = await openHost();
    put(pluginsDir, 'email.goflow.json', { version: '1.0.0' });
    await until(() => expect(version(plugins)).toBe('1.0.0'));
    const first = plugins.find('default', 'email');
    put(pluginsDir, 'email.goflow.json', { version: '1.1.0' });
    await until(() => expect(version(plugins)).toBe('1.1.0'));
    expect(engine.closed).toContain(first?.digest);
    rmSync(path.join(pluginsDir, 'email.goflow.json'));
    await until(() => expect(version(plugins)).toBeUndefined());
  });

  test('an author who rebuilds the same version gets the new code', async () => {
    const { plugins, pluginsDir } = await openHost({
      prepare: withFiles({ 'mine/dist/email.goflow.json': { note: 'before' } }),
    });
    put(pluginsDir, 'mine/dist/email.goflow.json', { note: 'after' });
    await until(() => expect(plugins.find('default', 'email')?.bundle.code).toContain('/* after */'));
    expect(refused(plugins)).toEqual([]);
  });

  test('a file moved into place is taken, also in a folder that was not there before', async () => {
    const { plugins, pluginsDir, dataDir } = await openHost();
    put(dataDir, 'built/dist/email.goflow.json', {});
    renameSync(path.join(dataDir, 'built'), path.join(pluginsDir, 'mail'));
    await until(() => expect(version(plugins)).toBe('1.0.0'));
    put(dataDir, 'new', { version: '2.0.0' });
    renameSync(path.join(dataDir, 'new'), path.join(pluginsDir, 'mail/dist/email.goflow.json'));
    await until(() => expect(version(plugins)).toBe('2.0.0'));
    rmSync(path.join(pluginsDir, 'mail'), { recursive: true });
    await until(() => expect(version(plugins)).toBeUndefined());
  });

  test('the directory itself may come later, go and come again', async () => {
    const { plugins, pluginsDir } = await openHost({ withoutPluginsDir: true });
    put(pluginsDir, 'email.goflow.json', {});
    await until(() => expect(version(plugins)).toBe('1.0.0'));
    rmSync(pluginsDir, { recursive: true });
    await until(() => expect(version(plugins)).toBeUndefined());
    put(pluginsDir, 'email.goflow.json', { version: '2.0.0' });
    await until(() => expect(version(plugins)).toBe('2.0.0'));
  });

  test('a file that is still being written is waited for, and what was there stays meanwhile', async () => {
    const { plugins, pluginsDir } = await openHost({
      prepare: withFiles({ 'email.goflow.json': { version: '1.0.0' } }),
    });
    const seen = new Set<string>();
    const text = bundleText({ version: '2.0.0' });
    const file = path.join(pluginsDir, 'email.goflow.json');
    writeFileSync(file, text.slice(0, 100));
    for (let at = 100; at < text.length; at += 50) {
      appendFileSync(file, text.slice(at, at + 50));
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.add(version(plugins) ?? 'gone');
    }
    await until(() => expect(version(plugins)).toBe('2.0.0'));
    expect([...seen].filter((one) => one !== '1.0.0' && one !== '2.0.0')).toEqual([]);
  });

  test('a file that stays broken is refused, and tried again when it changes', async () => {
    const { plugins, pluginsDir } = await openHost({ prepare: withFiles({ 'email.goflow.json': {} }) });
    put(pluginsDir, 'email.goflow.json', 'garbage');
    await until(() =>
      expect(refused(plugins)).toMatchObject([
        { file: 'email.goflow.json', reason: expect.stringContaining('not JSON') as string },
      ]),
    );
    expect(version(plugins)).toBeUndefined();
    put(pluginsDir, 'email.goflow.json', { version: '1.0.1' });
    await until(() => expect(version(plugins)).toBe('1.0.1'));
    expect(refused(plugins)).toEqual([]);
  });

  test('new code that does not load is refused, and never takes the place of what runs', async () => {
    const { plugins, pluginsDir } = await openHost({ prepare: withFiles({ 'v1.goflow.json': { version: '1.0.0' } }) });
    const seen = new Set<string | undefined>();
    put(pluginsDir, 'v2.goflow.json', { version: '2.0.0', code: 'throw new Error("broken")' });
    await until(() => {
      seen.add(version(plugins));
      expect(refused(plugins)).toMatchObject([{ file: 'v2.goflow.json', version: '2.0.0' }]);
    });
    expect([...seen]).toEqual(['1.0.0']);
  });

  test('a slow check holds up no other file', async () => {
    const engine = loadingEngine();
    const { plugins, pluginsDir } = await openHost({ engine });
    const gate = Promise.withResolvers<void>();
    engine.gate = gate.promise;
    put(pluginsDir, 'slow.goflow.json', { name: 'slow' });
    await until(() => expect(engine.described).toHaveLength(1));
    engine.gate = Promise.resolve();
    put(pluginsDir, 'quick.goflow.json', { name: 'quick' });
    await until(() => expect(version(plugins, 'quick')).toBe('1.0.0'));
    expect(version(plugins, 'slow')).toBeUndefined();
    gate.resolve();
    await until(() => expect(version(plugins, 'slow')).toBe('1.0.0'));
  });

  test('the same bytes with another time change nothing', async () => {
    const { plugins, pluginsDir } = await openHost({ prepare: withFiles({ 'email.goflow.json': {} }) });
    const before = plugins.find('default', 'email');
    utimesSync(path.join(pluginsDir, 'email.goflow.json'), 1, 1);
    put(pluginsDir, 'sms.goflow.json', { name: 'sms' });
    await until(() => expect(version(plugins, 'sms')).toBe('1.0.0'));
    expect(plugins.find('default', 'email')?.digest).toBe(before?.digest);
  });

  test('a hundred files that come at once are all taken', async () => {
    const { plugins, pluginsDir } = await openHost();
    for (let i = 0; i < 100; i += 1) put(pluginsDir, `p${i}.goflow.json`, { name: `p${i}` });
    await until(() => expect(plugins.list('default')).toHaveLength(100));
  });

  test('a new version that asks for more waits for its grant, and the one before goes on', async () => {
    const { plugins, pluginsDir } = await openHost({ prepare: withFiles({ 'v1.goflow.json': { version: '1.0.0' } }) });
    put(pluginsDir, 'v2.goflow.json', { version: '2.0.0', permissions: { storage: true } });
    await until(() => expect(plugins.view('default', 'email')?.pending_version).toBe('2.0.0'));
    expect(plugins.view('default', 'email')).toMatchObject({ version: '1.0.0', state: 'enabled' });
    await plugins.grant(CTX, BOOTSTRAP, 'email', { storage: true });
    expect(version(plugins)).toBe('2.0.0');
  });

  test('a newer version ends a rollback', async () => {
    const { plugins, pluginsDir } = await openHost({
      prepare: withFiles({ 'v1.goflow.json': { version: '1.0.0' }, 'v2.goflow.json': { version: '2.0.0' } }),
    });
    await plugins.rollback(CTX, BOOTSTRAP, 'email');
    expect(version(plugins)).toBe('1.0.0');
    put(pluginsDir, 'v3.goflow.json', { version: '3.0.0' });
    await until(() => expect(version(plugins)).toBe('3.0.0'));
  });
});

describe('the directory and uploads', () => {
  test('a plugin from the directory is not removed by a request', async () => {
    const { plugins } = await openHost({ prepare: withFiles({ 'sub/dist/email.goflow.json': {} }) });
    await expect(plugins.remove(CTX, BOOTSTRAP, 'email')).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('sub/dist/email.goflow.json') as string,
    });
    expect(version(plugins)).toBe('1.0.0');
  });

  test('the bytes of a directory file uploaded are there already; another digest is a conflict', async () => {
    const { plugins } = await openHost({ prepare: withFiles({ 'email.goflow.json': {} }) });
    expect((await plugins.install(CTX, BOOTSTRAP, Buffer.from(bundleText()))).created).toBe(false);
    const other = Buffer.from(bundleText({ note: 'other' }));
    await expect(plugins.install(CTX, BOOTSTRAP, other)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('a file never takes the place of an upload of its version', async () => {
    const host = await openHost();
    await host.plugins.install(CTX, BOOTSTRAP, Buffer.from(bundleText({ note: 'uploaded' })));
    put(host.pluginsDir, 'email.goflow.json', { note: 'dropped' });
    await until(() =>
      expect(refused(host.plugins)).toMatchObject([
        { file: 'email.goflow.json', reason: expect.stringContaining('from an upload') as string },
      ]),
    );
    const { plugins } = await host.restart();
    expect(plugins.find('default', 'email')?.bundle.code).toContain('/* uploaded */');
    expect(refused(plugins)).toHaveLength(1);
  });
});
