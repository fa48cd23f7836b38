import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import {
  generateSigningKey,
  KeyFileError,
  parseSigningKey,
  parseVerifyKey,
  serializeBundle,
  signBundle,
  verifySignatures,
} from '../contract/index.ts';
import { writeAtomically } from '../build/write-atomically.ts';
import { Failure, usage } from './failure.ts';
import { readBundleFile } from './inspect-bundle.ts';
import type { Io } from './io.ts';
import { readNamedFile } from './project.ts';

/** Writes a new key pair; a key that is there is never written over. */
export async function makeKeyFiles(file: string, io: Io): Promise<void> {
  for (const name of [file, `${file}.pub`])
    if (existsSync(name)) throw usage(`${name} is there already; name another file.`);
  const { keyid, secretText, publicText } = generateSigningKey();
  await writeNew(file, secretText, 0o600);
  await writeNew(`${file}.pub`, publicText, 0o644);
  io.say(
    `Made key ${keyid}.\n  ${file}      secret: keep it, sign with it\n  ${file}.pub  public: give it to those who verify`,
  );
  io.data(keyid);
}

/** Signs a bundle file in place. */
export async function signBundleFile(file: string, keyFile: string, io: Io): Promise<void> {
  const key = await readKey(keyFile, parseSigningKey);
  const { bundle, digest } = await readBundleFile(file);
  const signed = signBundle(bundle, key);
  await writeAtomically(file, serializeBundle(signed));
  io.say(
    `Signed ${file} (${digest}) with ${key.keyid}; it has ${signed.signatures.length} ${signed.signatures.length === 1 ? 'signature' : 'signatures'}.`,
  );
}

/** Fails unless the bundle file has a good signature by the key. */
export async function verifyBundleFile(file: string, keyFile: string, io: Io): Promise<void> {
  const key = await readKey(keyFile, parseVerifyKey);
  const { bundle, digest } = await readBundleFile(file);
  if (verifySignatures(bundle, [key]).length === 0) {
    const claimed = bundle.signatures.some((entry) => entry['keyid'] === key.keyid);
    throw new Failure(
      claimed
        ? `${file}: the signature by ${key.keyid} is not good: the bundle was changed after it was signed.`
        : `${file} is not signed by ${key.keyid}; it has ${bundle.signatures.length} other signatures.`,
    );
  }
  io.say(`${file} (${digest}) is signed by ${key.keyid}.`);
}

async function readKey<Key>(file: string, parse: (text: string) => Key): Promise<Key> {
  const text = new TextDecoder().decode(await readNamedFile(file));
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof KeyFileError) throw new Failure(`${file} ${error.message}.`);
    throw error;
  }
}

async function writeNew(file: string, text: string, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
