import type { JsonValue } from '../../contract/index.ts';
import { BrokerError, invalidCall } from './errors.ts';

/** Whose values, and for how long they may be asked for: set from the session, never from a call. */
export interface StorageScope {
  readonly tenantId: string;
  readonly plugin: string;
  /** Monotonic, in the milliseconds of `performance.now()`. */
  readonly deadline: number;
  /** Fires when the call ends, is cancelled or late. */
  readonly signal: AbortSignal;
}

/** Where values are kept; supplied by the host. Values are JSON text. What has not been sent to the disk when the scope's signal fires is not written any more. */
export interface PluginStorage {
  get(scope: StorageScope, key: string): Promise<string | null>;
  set(scope: StorageScope, key: string, json: string): Promise<void>;
  delete(scope: StorageScope, key: string): Promise<void>;
  /** The keys that begin with `prefix`, in any order. */
  list(scope: StorageScope, prefix: string): Promise<readonly string[]>;
}

const MAX_KEY_CHARS = 256;
/** Largest value, in bytes of its JSON text. */
const MAX_VALUE_BYTES = 256 * 1024;

/** `ctx.storage` of one session: checks keys and values, and keeps them in the session's scope. */
export class ScopedStorage {
  readonly #storage: PluginStorage;
  readonly #scope: StorageScope;

  constructor(storage: PluginStorage, scope: StorageScope, granted: boolean) {
    if (!granted)
      throw new BrokerError(
        'PERMISSION_NOT_GRANTED',
        'ctx.storage needs the permission "storage": the manifest has to ask for it and an admin to grant it',
        { details: { permission: 'storage' } },
      );
    this.#storage = storage;
    this.#scope = scope;
  }

  async get(key: string): Promise<string | null> {
    checkKey(key);
    return await answered(() => this.#storage.get(this.#scope, key));
  }

  async set(key: string, value: JsonValue): Promise<null> {
    checkKey(key);
    const json = toJson(value);
    await answered(() => this.#storage.set(this.#scope, key, json));
    return null;
  }

  async delete(key: string): Promise<null> {
    checkKey(key);
    await answered(() => this.#storage.delete(this.#scope, key));
    return null;
  }

  async list(prefix: string): Promise<readonly string[]> {
    if (prefix.length > MAX_KEY_CHARS || !prefix.isWellFormed())
      throw invalidCall(`a storage prefix has at most ${MAX_KEY_CHARS} characters`);
    const keys = await answered(() => this.#storage.list(this.#scope, prefix));
    return [...keys].sort((a, b) => (a < b ? -1 : Number(a > b)));
  }
}

function checkKey(key: string): void {
  if (key.length < 1 || key.length > MAX_KEY_CHARS || !key.isWellFormed())
    throw invalidCall(`a storage key has 1 to ${MAX_KEY_CHARS} characters`);
}

function toJson(value: JsonValue): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch {
    throw invalidCall('a stored value must be JSON: it has a cycle, a bigint, or is nested too deeply');
  }
  if (json === undefined) throw invalidCall('a stored value must be JSON');
  if (Buffer.byteLength(json) > MAX_VALUE_BYTES)
    throw invalidCall(`a stored value has at most ${MAX_VALUE_BYTES / 1024} kB of JSON`);
  return json;
}

/** The store's own errors name tables and files: a connector only learns that it did not work. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof BrokerError) throw error;
    throw new BrokerError('CONNECTOR_ERROR', 'the storage did not answer', { retryable: true });
  }
}
