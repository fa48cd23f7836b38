import { MASK, collectSecrets, createMask, type JsonObject, type JsonValue } from '@goflow/plugin-sdk/contract';

/** Replaces each secret that it knows by `***`. */
export type Mask = (text: string) => string;

const NOTHING: Mask = (text) => text;

/** The masks of a run: of its secret parameters, and of each credential that its steps were given. */
export class RunMask {
  readonly #masks = new Set<Mask>();

  constructor(parameters: JsonObject, secretNames: ReadonlySet<string>) {
    const secrets: string[] = [];
    for (const name of secretNames) gather(parameters[name], secrets);
    if (secrets.length > 0) this.#masks.add(createMask(secrets));
  }

  addCredential(schema: JsonObject, values: JsonObject): void {
    const mask = credentialMask(schema, values);
    if (mask !== NOTHING) this.#masks.add(mask);
  }

  text(text: string): string {
    let masked = text;
    for (const mask of this.#masks) masked = mask(masked);
    return masked;
  }

  /** A JSON value with every text and number in it masked, names of members too. */
  json<T>(value: T): T {
    if (this.#masks.size === 0) return value;
    return this.#isClean(JSON.stringify(value)) ? value : (this.#each(value as JsonValue) as T);
  }

  /** As `json`, of JSON text. Throws what `JSON.parse` throws. */
  parsed(text: string): JsonValue {
    const value = JSON.parse(text) as JsonValue;
    return this.#masks.size === 0 || this.#isClean(text) ? value : this.#each(value);
  }

  /** Whether JSON text certainly holds no secret. With escapes in it, a secret may be there in a spelling that only its values show. */
  #isClean(text: string): boolean {
    return !text.includes('\\') && this.text(text) === text;
  }

  /** Value by value: a secret may be a number, or look like a piece of JSON, and its text must not be cut out of the document's. */
  #each(value: JsonValue): JsonValue {
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number') {
      const text = String(value);
      return this.text(text) === text ? value : MASK;
    }
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item: JsonValue) => this.#each(item));
    // `fromEntries` defines members: one called `__proto__` stays a member.
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [this.text(name), this.#each(member as JsonValue)]),
    );
  }
}

// Resolved credentials are cached objects: their mask is made once.
const credentialMasks = new WeakMap<JsonObject, Mask>();

function credentialMask(schema: JsonObject, values: JsonObject): Mask {
  const known = credentialMasks.get(values);
  if (known !== undefined) return known;
  const secrets = collectSecrets(schema, values);
  const mask = secrets.length === 0 ? NOTHING : createMask(secrets);
  credentialMasks.set(values, mask);
  return mask;
}

function gather(value: unknown, into: string[]): void {
  if (typeof value === 'string') into.push(value);
  else if (typeof value === 'number') into.push(String(value));
  else if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) gather(member, into);
}
