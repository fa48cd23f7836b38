import { createHmac, randomBytes } from 'node:crypto';
import { systemContext } from '../core/context.ts';
import { GoflowError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Store, VaultKeyRecord, VaultKeyStore } from '../store/store.ts';
import { decrypt, encrypt, KEY_BYTES } from './cipher.ts';
import {
  makeMasterKeyFile,
  MASTER_KEY_FILE,
  parseMasterKey,
  readMasterKeyFile,
  readNextKeyFile,
  takeNextKeyFile,
} from './master-key.ts';

/**
 * Secrets at rest. Each tenant has a random data key, which is stored wrapped by the master key; a secret is bound to its tenant and to
 * what it is for, so that it opens nowhere else. Sealing with a known tenant's key needs no wait for the store.
 */
export interface Vault {
  seal(tenantId: string, plaintext: string, purpose: string): Promise<Uint8Array>;
  /** Rejects when the bytes are not what `seal` made for this tenant and purpose. */
  open(tenantId: string, sealed: Uint8Array, purpose: string): Promise<string>;
  /** An unguessable code of 128 bits for these texts, the same for the life of the data directory: base64url. Needs no wait. */
  code(purpose: string, ...texts: readonly string[]): string;
  /** Wraps every data key with another master key (base64 of 32 bytes), all or none. The host must be started with that one from then on. */
  rotate(masterKey: string): Promise<void>;
}

export interface VaultOptions {
  readonly dataDir: string;
  /** `GOFLOW_MASTER_KEY`; without it the key file of the data directory, which is made for a new one. */
  readonly masterKey: string | undefined;
  readonly store: Pick<Store, 'vaultKeys'>;
  readonly log?: Logger;
}

/** A known value under the master key, which tells a wrong master key from damaged data at the start. */
const CHECK = 'check';
const TENANT = 'tenant:';
/** The key of `code`. */
const CODES = 'codes';
const CODE_BYTES = 16;

/** Throws when the master key is malformed or not the one that this data directory was written with. */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const keys = options.store.vaultKeys;
  const ctx = systemContext();
  const check = await keys.get(ctx, CHECK);
  const master = afterRotation(options, check, findMasterKey(options, check !== null));
  const stored = check ?? (await keys.add(ctx, CHECK, encrypt(master.key, CHECK, boundTo(CHECK))));
  if (decrypt(master.key, stored, boundTo(CHECK)) === null) {
    throw new GoflowError(
      'INTERNAL',
      `${master.source} is not the key this data directory was written with; start with the one that was used before`,
    );
  }
  const wrapped =
    (await keys.get(ctx, CODES)) ??
    (await keys.add(ctx, CODES, encrypt(master.key, randomBytes(KEY_BYTES), boundTo(CODES))));
  const codes = decrypt(master.key, wrapped, boundTo(CODES));
  if (codes === null) throw damagedKey(CODES);
  return new TenantVault(keys, master.key, codes);
}

interface MasterKey {
  readonly key: Uint8Array;
  readonly source: string;
}

/** A rotation that was cut off after its commit left the new key beside the old one: it takes its place now. */
function afterRotation(options: VaultOptions, check: Uint8Array | null, master: MasterKey): MasterKey {
  if (check === null || master.source !== MASTER_KEY_FILE) return master;
  if (decrypt(master.key, check, boundTo(CHECK)) !== null) return master;
  const next = readNextKeyFile(options.dataDir);
  if (next === null || decrypt(next, check, boundTo(CHECK)) === null) return master;
  takeNextKeyFile(options.dataDir);
  return { key: next, source: MASTER_KEY_FILE };
}

function findMasterKey(options: VaultOptions, used: boolean): MasterKey {
  const variable = options.masterKey?.trim() ?? '';
  if (variable !== '') return { key: parseMasterKey(variable, 'GOFLOW_MASTER_KEY'), source: 'GOFLOW_MASTER_KEY' };
  const fromFile = readMasterKeyFile(options.dataDir, options.log);
  if (fromFile !== null) return { key: fromFile, source: MASTER_KEY_FILE };
  // A key made now would open nothing of what is there.
  if (used) {
    throw new GoflowError(
      'INTERNAL',
      `GOFLOW_MASTER_KEY is not set and ${options.dataDir} has no ${MASTER_KEY_FILE}; start with the master key that was used before`,
    );
  }
  return { key: makeMasterKeyFile(options.dataDir), source: MASTER_KEY_FILE };
}

class TenantVault implements Vault {
  readonly #keys: VaultKeyStore;
  readonly #codes: Uint8Array;
  readonly #tenants = new Map<string, Uint8Array>();
  #master: Uint8Array;
  /** Set while keys are re-wrapped: a key that was added meanwhile would be wrapped by the old one. */
  #rotation: Promise<void> | null = null;

  constructor(keys: VaultKeyStore, master: Uint8Array, codes: Uint8Array) {
    this.#keys = keys;
    this.#codes = codes;
    this.#master = master;
  }

  async seal(tenantId: string, plaintext: string, purpose: string): Promise<Uint8Array> {
    const key = this.#tenants.get(tenantId) ?? (await this.#loadOrMake(tenantId));
    return encrypt(key, plaintext, boundTo(tenantId, purpose));
  }

  async open(tenantId: string, sealed: Uint8Array, purpose: string): Promise<string> {
    const key = this.#tenants.get(tenantId) ?? (await this.#load(tenantId));
    const plaintext = key === null ? null : decrypt(key, sealed, boundTo(tenantId, purpose));
    if (plaintext !== null) return plaintext.toString('utf8');
    throw new GoflowError(
      'INTERNAL',
      `a stored secret (${purpose}) cannot be opened: it was changed, or is another tenant's`,
    );
  }

  code(purpose: string, ...texts: readonly string[]): string {
    const mac = createHmac('sha256', this.#codes)
      .update(boundTo(CODES, purpose, ...texts))
      .digest();
    return mac.subarray(0, CODE_BYTES).toString('base64url');
  }

  async rotate(masterKey: string): Promise<void> {
    const next = parseMasterKey(masterKey, 'the new master key');
    while (this.#rotation !== null) await this.#rotation.catch(() => undefined);
    this.#rotation = this.#rewrap(next);
    try {
      await this.#rotation;
    } finally {
      this.#rotation = null;
    }
  }

  async #rewrap(next: Uint8Array): Promise<void> {
    const ctx = systemContext();
    const rewrapped = (await this.#keys.list(ctx)).map(({ name, wrapped }): VaultKeyRecord => {
      const plain = decrypt(this.#master, wrapped, boundTo(name));
      if (plain === null) throw damagedKey(name);
      return { name, wrapped: encrypt(next, plain, boundTo(name)) };
    });
    if (!(await this.#keys.replaceAll(ctx, rewrapped))) {
      throw new GoflowError('CONFLICT', 'a tenant was added while the master key was changed; try again');
    }
    this.#master = next;
  }

  async #load(tenantId: string): Promise<Uint8Array | null> {
    // Whether it succeeded is the business of whoever asked for it.
    await this.#rotation?.catch(() => undefined);
    const name = TENANT + tenantId;
    const wrapped = await this.#keys.get(systemContext(), name);
    return wrapped === null ? null : this.#keep(tenantId, wrapped);
  }

  async #loadOrMake(tenantId: string): Promise<Uint8Array> {
    const known = await this.#load(tenantId);
    if (known !== null) return known;
    const name = TENANT + tenantId;
    const made = encrypt(this.#master, randomBytes(KEY_BYTES), boundTo(name));
    // Whoever was first wins: two requests of a new tenant end up with the same key.
    return this.#keep(tenantId, await this.#keys.add(systemContext(), name, made));
  }

  #keep(tenantId: string, wrapped: Uint8Array): Uint8Array {
    const name = TENANT + tenantId;
    const key = decrypt(this.#master, wrapped, boundTo(name));
    if (key === null) throw damagedKey(name);
    this.#tenants.set(tenantId, key);
    return key;
  }
}

function damagedKey(name: string): GoflowError {
  return new GoflowError('INTERNAL', `vault key "${name}" cannot be unwrapped: it was changed; restore a backup`);
}

/** JSON of the parts: no two lists of parts give the same text. */
function boundTo(...parts: readonly string[]): string {
  return JSON.stringify(['goflow-vault/1', ...parts]);
}
