import { chmodSync, existsSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createLogging } from '../../src/core/log.ts';
import type { Store } from '../../src/store/store.ts';
import { openVault, type Vault } from '../../src/vault/vault.ts';
import { ctx, openStore } from '../store/helpers.ts';

function makeKey(): string {
  return randomBytes(32).toString('base64');
}

interface Opened {
  readonly vault: Vault;
  readonly store: Store;
  readonly dataDir: string;
  readonly masterKey: string;
}

async function open(masterKey: string = makeKey()): Promise<Opened> {
  const { store, dataDir } = await openStore();
  return { vault: await openVault({ dataDir, masterKey, store }), store, dataDir, masterKey };
}

it('opens what it sealed, for the same tenant and purpose only', async () => {
  const { vault } = await open();
  for (const text of ['', 'hunter2', '🦊'.repeat(10_000), '\u0000']) {
    const sealed = await vault.seal('t', text, 'credential:1');
    expect(await vault.open('t', sealed, 'credential:1')).toBe(text);
    await expect(vault.open('other', sealed, 'credential:1')).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(vault.open('t', sealed, 'credential:2')).rejects.toMatchObject({ code: 'INTERNAL' });
  }
  // The tenant and the purpose are two things, not one text.
  const sealed = await vault.seal('a', 'x', 'b","c');
  await expect(vault.open('a', sealed, 'b')).rejects.toThrow(/cannot be opened/);
});

it('never gives the same bytes twice, and no plaintext', async () => {
  const { vault } = await open();
  const one = await vault.seal('t', 'a long enough secret', 'p');
  const two = await vault.seal('t', 'a long enough secret', 'p');
  expect(Buffer.from(one).equals(two)).toBe(false);
  expect(Buffer.from(one).includes('a long enough')).toBe(false);
});

it('notices every changed, missing and added byte', async () => {
  const { vault } = await open();
  const sealed = await vault.seal('t', 'secret', 'p');
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Uint8Array.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await expect(vault.open('t', changed, 'p')).rejects.toThrow(/cannot be opened/);
    await expect(vault.open('t', sealed.subarray(0, at), 'p')).rejects.toThrow(/cannot be opened/);
  }
  await expect(vault.open('t', Buffer.concat([sealed, Buffer.of(0)]), 'p')).rejects.toThrow(/cannot be opened/);
});

it('gives two first requests of a tenant the same key', async () => {
  const { vault, store, dataDir, masterKey } = await open();
  const other = await openVault({ dataDir, masterKey, store });
  const sealed = await Promise.all(
    Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? vault : other).seal('new', `secret ${index}`, 'p')),
  );
  for (const [index, bytes] of sealed.entries()) expect(await other.open('new', bytes, 'p')).toBe(`secret ${index}`);
});

it('opens what an earlier start sealed, and refuses to start with another master key', async () => {
  const { vault, store, dataDir, masterKey } = await open();
  const sealed = await vault.seal('t', 'secret', 'p');
  const again = await openVault({ dataDir, masterKey: ` ${masterKey}\n`, store });
  expect(await again.open('t', sealed, 'p')).toBe('secret');
  await expect(openVault({ dataDir, masterKey: makeKey(), store })).rejects.toThrow(
    /GOFLOW_MASTER_KEY is not the key this data directory was written with/,
  );
  await expect(openVault({ dataDir, masterKey: undefined, store })).rejects.toThrow(/GOFLOW_MASTER_KEY is not set/);
  expect(existsSync(path.join(dataDir, 'master.key'))).toBe(false);
});

it('refuses a malformed master key by the name of its variable, without its value', async () => {
  const { store, dataDir } = await openStore();
  for (const wrong of [
    'short',
    randomBytes(31).toString('base64'),
    randomBytes(33).toString('base64'),
    `!${makeKey()}`,
  ]) {
    const failure = openVault({ dataDir, masterKey: wrong, store });
    await expect(failure).rejects.toThrow(/^GOFLOW_MASTER_KEY must be base64 of 32 bytes/);
    await expect(failure).rejects.toMatchObject({ message: expect.not.stringContaining(wrong) });
  }
});

it('makes a master key of its own in a new data directory, readable by its owner, and finds it again', async () => {
  const { store, dataDir } = await openStore();
  const vault = await openVault({ dataDir, masterKey: undefined, store });
  const file = path.join(dataDir, 'master.key');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(Buffer.from(readFileSync(file, 'utf8'), 'base64')).toHaveLength(32);
  expect(readdirSync(dataDir).filter((name) => name.startsWith('master.key'))).toEqual(['master.key']);
  const sealed = await vault.seal('t', 'secret', 'p');
  const again = await openVault({ dataDir, masterKey: '', store });
  expect(await again.open('t', sealed, 'p')).toBe('secret');
});

it('warns of a master key file that others can read, and refuses one that is none', async () => {
  const { store, dataDir } = await openStore();
  await openVault({ dataDir, masterKey: undefined, store });
  const file = path.join(dataDir, 'master.key');
  const lines: string[] = [];
  const log = createLogging({ level: 'info', levels: {}, write: (line) => void lines.push(line) }).for('store');
  chmodSync(file, 0o644);
  await openVault({ dataDir, masterKey: undefined, store, log });
  expect(lines.join('\n')).toMatch(/master\.key has mode 0644.*set it to 0600/);
  writeFileSync(file, 'garbage');
  await expect(openVault({ dataDir, masterKey: undefined, store })).rejects.toThrow(/master\.key must be base64/);
  unlinkSync(file);
  await expect(openVault({ dataDir, masterKey: undefined, store })).rejects.toThrow(/start with the master key/);
});

it('wraps every data key anew when the master key changes, while it goes on', async () => {
  const { vault, store, dataDir, masterKey } = await open();
  const before = await Promise.all(['a', 'b', 'c'].map((tenant) => vault.seal(tenant, `of ${tenant}`, 'p')));
  await expect(vault.rotate('short')).rejects.toThrow(/the new master key must be base64/);
  const next = makeKey();
  const rotation = vault.rotate(next);
  const during = vault.seal('a', 'during', 'p');
  await rotation;
  await expect(openVault({ dataDir, masterKey, store })).rejects.toThrow(/is not the key/);
  const again = await openVault({ dataDir, masterKey: next, store });
  expect(await again.open('b', before[1] ?? new Uint8Array(), 'p')).toBe('of b');
  expect(await again.open('a', await during, 'p')).toBe('during');
  expect(await vault.open('c', before[2] ?? new Uint8Array(), 'p')).toBe('of c');
  expect(await again.open('new', await vault.seal('new', 'x', 'p'), 'p')).toBe('x');
});

it('changes no key when the names to replace are not the stored ones', async () => {
  const { store } = await open();
  const before = await store.vaultKeys.list(ctx);
  expect(await store.vaultKeys.replaceAll(ctx, [{ name: 'else', wrapped: new Uint8Array(1) }])).toBe(false);
  expect(await store.vaultKeys.list(ctx)).toEqual(before);
});
