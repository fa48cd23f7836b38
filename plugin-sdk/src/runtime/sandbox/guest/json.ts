const MAX_DEPTH = 200;

/** Why a value cannot be a result. Caught by our own code only. */
export class JsonRefusal {
  readonly code: 'RESULT_NOT_JSON' | 'RESULT_TOO_LARGE';
  readonly message: string;
  readonly pointer: string | null;
  /** Tells our own refusals from anything that a connector throws, without asking it: `instanceof` would run a proxy's traps. */
  readonly #ours = true;

  static is(thrown: unknown): thrown is JsonRefusal {
    return thrown !== null && typeof thrown === 'object' && #ours in thrown && thrown.#ours;
  }

  constructor(code: JsonRefusal['code'], message: string, pointer: string | null = null) {
    this.code = code;
    this.message = message;
    this.pointer = pointer;
  }
}

/**
 * Strict JSON text of a value. Other than `JSON.stringify` it refuses what would be lost without a word (functions, symbols, NaN,
 * Maps, bytes) and says where it is. Every property is read once, so that a value which changes under the walk cannot get anything past it.
 * Throws a `JsonRefusal`, or whatever the value's own getters throw.
 */
export function toJsonText(value: unknown, maxChars: number): string {
  const walk = new Walk(maxChars);
  walk.write(value, '', false);
  return walk.text;
}

class Walk {
  text = '';
  readonly #max: number;
  readonly #path: string[] = [];
  readonly #ancestors: object[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  write(value: unknown, key: string, converted: boolean): void {
    switch (typeof value) {
      case 'string':
        if (value.length > this.#max) this.#tooLarge();
        this.#add(JSON.stringify(value));
        return;
      case 'number':
        if (!Number.isFinite(value)) this.#refuse(`${value} is not a JSON number`);
        this.#add(`${value}`);
        return;
      case 'boolean':
        this.#add(value ? 'true' : 'false');
        return;
      case 'undefined':
        this.#add('null');
        return;
      case 'object':
        if (value === null) this.#add('null');
        else this.#writeObject(value, key, converted);
        return;
      case 'function':
      case 'symbol':
      case 'bigint':
        this.#refuse(`a ${typeof value} is not JSON`);
    }
  }

  #writeObject(value: object, key: string, converted: boolean): void {
    const { toJSON } = value as { toJSON?: unknown };
    if (!converted && typeof toJSON === 'function') {
      this.write(Reflect.apply(toJSON, value, [key]), key, true);
      return;
    }
    if (this.#ancestors.includes(value)) this.#refuse('the value contains itself');
    if (this.#ancestors.length >= MAX_DEPTH) this.#refuse(`deeper than ${MAX_DEPTH} levels`);
    this.#ancestors.push(value);
    if (Array.isArray(value)) this.#writeItems(value);
    else this.#writeMembers(value);
    this.#ancestors.pop();
  }

  #writeItems(items: readonly unknown[]): void {
    const { length } = items;
    this.#add('[');
    for (let i = 0; i < length; i++) {
      if (i > 0) this.#add(',');
      this.#path.push(`${i}`);
      this.write(items[i], `${i}`, false);
      this.#path.pop();
    }
    this.#add(']');
  }

  #writeMembers(value: object): void {
    const kind = opaqueKind(value);
    if (kind !== null) this.#refuse(`a ${kind} is not JSON`);
    let first = true;
    this.#add('{');
    for (const key of Object.keys(value)) {
      const member = (value as Record<string, unknown>)[key];
      if (member === undefined) continue;
      this.#add(`${first ? '' : ','}${JSON.stringify(key)}:`);
      first = false;
      this.#path.push(key);
      this.write(member, key, false);
      this.#path.pop();
    }
    this.#add('}');
  }

  #add(text: string): void {
    this.text += text;
    if (this.text.length > this.#max) this.#tooLarge();
  }

  #tooLarge(): never {
    throw new JsonRefusal('RESULT_TOO_LARGE', `the result has more than ${this.#max} characters of JSON`);
  }

  #refuse(why: string): never {
    const pointer = this.#path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
    throw new JsonRefusal('RESULT_NOT_JSON', `the result is not JSON: ${why}, at "${pointer}"`, pointer);
  }
}

/** Objects whose content `JSON.stringify` would silently lose. */
function opaqueKind(value: object): string | null {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return null;
  if (value instanceof Map) return 'Map';
  if (value instanceof Set) return 'Set';
  if (value instanceof Promise) return 'Promise (was an "await" forgotten?)';
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return 'buffer of bytes';
  return null;
}
