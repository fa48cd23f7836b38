import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { JsonObject } from '@goflow/plugin-sdk/contract';
import { describe, expect, test } from 'vitest';
import { newContext } from '../../src/core/context.ts';
import { createLogging } from '../../src/core/log.ts';
import { createCredentials } from '../../src/credential/credentials.ts';
import { openVault } from '../../src/vault/vault.ts';
import { bundleBytes } from '../plugin/support/bundle.ts';
import { BOOTSTRAP, openHost } from '../plugin/support/host.ts';
import { storeDir } from '../plugin/support/store.ts';

const CTX = newContext({ tenantId: 'acme', userId: 'ann' });
const OTHER = newContext({ tenantId: 'other', userId: 'bob' });
const PAGE = { limit: 50 };
const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');
const SMTP = {
  type: 'object',
  required: ['host', 'password'],
  properties: {
    host: { type: 'string' },
    port: { type: 'integer' },
    password: { type: 'string', writeOnly: true, minLength: 4 },
  },
};
const VALUES = { host: 'smtp.example.com', password: 'correct horse' };

async function open() {
  const host = await openHost();
  await host.plugins.install(CTX, BOOTSTRAP, bundleBytes({ name: 'email', credential: SMTP }));
  await host.plugins.install(CTX, BOOTSTRAP, bundleBytes({ name: 'plain' }));
  const vault = await openVault({ dataDir: host.dataDir, masterKey: MASTER_KEY, store: host.store });
  const lines: string[] = [];
  const logging = createLogging({ level: 'debug', levels: {}, write: (line) => void lines.push(line) });
  const counted = { opened: 0 };
  const counting = {
    seal: vault.seal.bind(vault),
    async open(...args: Parameters<typeof vault.open>) {
      counted.opened += 1;
      return vault.open(...args);
    },
  };
  const { store, plugins } = host;
  const credentials = createCredentials({ store, vault: counting, plugins, log: logging.for('auth') });
  return { ...host, credentials, counted, lines };
}

async function problemsOf(promise: Promise<unknown>): Promise<string[]> {
  const error = await promise.then(
    () => ({ code: 'no error' }),
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: 'VALIDATION_FAILED' });
  return (error as { problems: { pointer: string; keyword: string }[] }).problems.map(
    ({ pointer, keyword }) => `${pointer} ${keyword}`,
  );
}

describe('making a credential', () => {
  test('gives back its names, and no value anywhere', async () => {
    const { credentials, lines } = await open();
    const made = await credentials.create(CTX, { name: 'main', plugin: 'email', values: VALUES });
    expect(credentials.view(made)).toEqual({
      id: expect.stringMatching(/^cred_[0-9a-f]{32}$/) as string,
      name: 'main',
      plugin: 'email',
      is_default: true,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      fields: ['host', 'password'],
    });
    expect(
      JSON.stringify((await credentials.list(CTX, PAGE)).items.map((item) => credentials.view(item))),
    ).not.toContain('horse');
    expect(lines.join('')).not.toContain('horse');
    const files = readdirSync(storeDir());
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(readFileSync(path.join(storeDir(), file)).includes('correct horse')).toBe(false);
  });

  test.each<[string, JsonObject, string[]]>([
    ['nothing', {}, ['/name required', '/plugin required', '/values required']],
    ['wrong types', { name: 5, plugin: '', values: [] }, ['/name type', '/plugin type', '/values type']],
    ['an unknown field', { name: 'a', plugin: 'email', values: VALUES, note: 1 }, ['/note additionalProperties']],
    ['no such plugin', { name: 'a', plugin: 'nothing', values: {} }, ['/plugin enum']],
    ['a plugin without credential', { name: 'a', plugin: 'plain', values: {} }, ['/plugin enum']],
    ['a missing value', { name: 'a', plugin: 'email', values: { host: 'h' } }, ['/values/password required']],
    ['a wrong value', { name: 'a', plugin: 'email', values: { ...VALUES, port: '25' } }, ['/values/port type']],
    [
      'an unknown value',
      { name: 'a', plugin: 'email', values: { ...VALUES, 'pass/word': 'x' } },
      ['/values/pass~1word additionalProperties'],
    ],
  ])('refuses %s, with pointers', async (_what, body, pointers) => {
    const { credentials } = await open();
    expect((await problemsOf(credentials.create(CTX, body))).sort()).toEqual(pointers.sort());
    expect((await credentials.list(CTX, PAGE)).items).toEqual([]);
  });

  test.each([
    [null],
    [[]],
    ['text'],
    [{ name: 'a', plugin: 'email', values: { ...VALUES, host: 'x'.repeat(70_000) } }],
  ])('refuses a body that is none, or too large', async (body) => {
    const { credentials } = await open();
    await problemsOf(credentials.create(CTX, body));
  });

  test('does not repeat a wrong secret in the message', async () => {
    const { credentials } = await open();
    const error = await credentials
      .create(CTX, { name: 'a', plugin: 'email', values: { host: 'h', password: 'abc' } })
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(JSON.stringify(error) + String(error)).not.toContain('abc');
  });

  test('of a name that the plugin has is a conflict', async () => {
    const { credentials } = await open();
    const body = { name: 'main', plugin: 'email', values: VALUES };
    await credentials.create(CTX, body);
    await expect(credentials.create(CTX, body)).rejects.toMatchObject({ code: 'CONFLICT' });
    await credentials.create(OTHER, body);
  });
});

describe("the original's shape", () => {
  test('keeps the key under the name of its service', async () => {
    const { credentials } = await open();
    const made = await credentials.create(CTX, { service_name: 'sendgrid', api_key: 'SG.secret' });
    expect(made).toMatchObject({ name: 'sendgrid', plugin: 'sendgrid', fields: ['api_key'] });
    expect(await credentials.resolve(CTX, { plugin: 'sendgrid' })).toMatchObject({ values: { api_key: 'SG.secret' } });
  });

  test('must fit the plugin of that name, if there is one', async () => {
    const { credentials } = await open();
    const problems = await problemsOf(credentials.create(CTX, { service_name: 'email', api_key: 'k' }));
    expect(problems).toContain('/host required');
    expect(problems).toContain('/api_key additionalProperties');
  });

  test('needs both of its fields', async () => {
    const { credentials } = await open();
    expect(await problemsOf(credentials.create(CTX, { service_name: 'a' }))).toEqual(['/api_key required']);
    expect(await problemsOf(credentials.create(CTX, { service_name: '', api_key: 7 }))).toEqual([
      '/service_name type',
      '/api_key type',
    ]);
  });
});

describe('a call gets', () => {
  async function withTwo() {
    const opened = await open();
    const first = await opened.credentials.create(CTX, { name: 'first', plugin: 'email', values: VALUES });
    const second = await opened.credentials.create(CTX, {
      name: 'second',
      plugin: 'email',
      values: { ...VALUES, host: 'two' },
    });
    return { ...opened, first, second };
  }

  test('the credential that it names, by name or id', async () => {
    const { credentials, second } = await withTwo();
    expect(await credentials.resolve(CTX, { plugin: 'email', name: 'second' })).toMatchObject({
      id: second.id,
      values: { host: 'two' },
    });
    expect(await credentials.resolve(CTX, { plugin: 'email', name: second.id })).toMatchObject({ name: 'second' });
    expect(await credentials.resolve(CTX, { plugin: 'email', name: 'third' })).toBeNull();
  });

  test('else the first one that was made', async () => {
    const { credentials } = await withTwo();
    expect(await credentials.resolve(CTX, { plugin: 'email' })).toMatchObject({ name: 'first', values: VALUES });
  });

  test('else the only one; of several without a default, none', async () => {
    const { credentials, first, second } = await withTwo();
    await credentials.delete(CTX, first.id);
    expect(await credentials.resolve(CTX, { plugin: 'email' })).toMatchObject({ name: 'second' });
    await credentials.create(CTX, { name: 'third', plugin: 'email', values: VALUES });
    expect(await credentials.resolve(CTX, { plugin: 'email' })).toBeNull();
    await credentials.delete(CTX, second.id);
    expect(await credentials.resolve(CTX, { plugin: 'email' })).toMatchObject({ name: 'third' });
  });

  test("never another tenant's, nor one of another plugin", async () => {
    const { credentials, first } = await withTwo();
    expect(await credentials.resolve(OTHER, { plugin: 'email' })).toBeNull();
    expect(await credentials.resolve(OTHER, { plugin: 'email', name: first.id })).toBeNull();
    expect(await credentials.resolve(CTX, { plugin: 'plain', name: 'first' })).toBeNull();
    await expect(credentials.delete(OTHER, first.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await credentials.list(OTHER, PAGE)).items).toEqual([]);
  });

  test('the same object again and again, opened once', async () => {
    const { credentials, counted } = await withTwo();
    const values = await Promise.all(Array.from({ length: 5 }, () => credentials.resolve(CTX, { plugin: 'email' })));
    const before = counted.opened;
    const more = await credentials.resolve(CTX, { plugin: 'email' });
    expect(counted.opened).toBe(before);
    expect(more?.values).toEqual(values[0]?.values);
    expect((await credentials.resolve(CTX, { plugin: 'email' }))?.values).toBe(more?.values);
  });

  test('nothing from when it was deleted on', async () => {
    const { credentials, first, second } = await withTwo();
    await credentials.resolve(CTX, { plugin: 'email', name: 'first' });
    await credentials.delete(CTX, first.id);
    expect(await credentials.resolve(CTX, { plugin: 'email', name: 'first' })).toBeNull();
    await credentials.delete(CTX, second.id);
    await expect(credentials.delete(CTX, second.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
