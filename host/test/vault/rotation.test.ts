import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createLogging } from '../../src/core/log.ts';
import { rotateMasterKey } from '../../src/vault/rotate-master-key.ts';
import { openVault } from '../../src/vault/vault.ts';
import { makeDirectory, openStore } from '../store/helpers.ts';

const log = createLogging({ level: 'error', levels: {}, write: () => undefined }).for('auth');

async function sealedBy(masterKey: string | undefined) {
  const { store, dataDir } = await openStore();
  const vault = await openVault({ dataDir, masterKey, store });
  const sealed = await vault.seal('acme', 'hunter2', 'p');
  const code = vault.code('webhook', 'acme', 'orders');
  const rotate = (newKeyFile?: string) => rotateMasterKey({ dataDir, masterKey, newKeyFile, store, log });
  const opened = async (key: string | undefined) => {
    const again = await openVault({ dataDir, masterKey: key, store });
    return [await again.open('acme', sealed, 'p'), again.code('webhook', 'acme', 'orders') === code];
  };
  return { store, dataDir, rotate, opened };
}

it('puts a new key file in the place of the old one, and everything opens as before', async () => {
  const { dataDir, rotate, opened } = await sealedBy(undefined);
  const file = path.join(dataDir, 'master.key');
  const before = readFileSync(file, 'utf8');
  expect(await rotate()).toBe(file);
  expect(readFileSync(file, 'utf8')).not.toBe(before);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(existsSync(`${file}.next`)).toBe(false);
  expect(await opened(undefined)).toEqual(['hunter2', true]);
  await expect(opened(before)).rejects.toThrow(/is not the key/);
});

it('finds the new key when it was cut off between the commit and the change of the file', async () => {
  const { dataDir, rotate, opened } = await sealedBy(undefined);
  const file = path.join(dataDir, 'master.key');
  const old = readFileSync(file, 'utf8');
  await rotate();
  renameSync(file, `${file}.next`);
  writeFileSync(file, old, { mode: 0o600 });
  expect(await opened(undefined)).toEqual(['hunter2', true]);
  expect(existsSync(`${file}.next`)).toBe(false);
  expect(readFileSync(file, 'utf8')).not.toBe(old);
});

it('keeps the old key when it was cut off before the commit', async () => {
  const { dataDir, rotate, opened } = await sealedBy(undefined);
  const file = path.join(dataDir, 'master.key');
  writeFileSync(`${file}.next`, randomBytes(32).toString('base64'), { mode: 0o600 });
  expect(await opened(undefined)).toEqual(['hunter2', true]);
  await rotate();
  expect(await opened(undefined)).toEqual(['hunter2', true]);
});

it('goes from one key of the environment to that of a file, which it makes where there is none', async () => {
  const old = randomBytes(32).toString('base64');
  const { rotate, opened } = await sealedBy(old);
  const file = path.join(makeDirectory(), 'new.key');
  expect(await rotate(file)).toBe(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await expect(opened(old)).rejects.toThrow(/is not the key/);
  expect(await opened(readFileSync(file, 'utf8'))).toEqual(['hunter2', true]);
});

it('refuses a new key that is none, and changes nothing', async () => {
  const { rotate, opened } = await sealedBy(undefined);
  const file = path.join(makeDirectory(), 'new.key');
  writeFileSync(file, 'garbage');
  await expect(rotate(file)).rejects.toThrow(/must be base64 of 32 bytes/);
  expect(await opened(undefined)).toEqual(['hunter2', true]);
});
