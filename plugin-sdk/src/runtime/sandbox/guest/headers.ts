export type HeadersInit = Headers | Iterable<readonly [unknown, unknown]> | Readonly<Record<string, unknown>>;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// eslint-disable-next-line no-control-regex -- these are the very characters that a header value may not hold
const FORBIDDEN = /[\0\r\n]|[^\0-\xff]/;

export class Headers {
  /** Lower-case names; each with its values in order. */
  readonly #values = new Map<string, string[]>();

  constructor(init?: HeadersInit) {
    if (init === undefined) return;
    if (init === null || typeof init !== 'object') throw new TypeError('Headers takes an object, pairs or Headers');
    if (typeof (init as Iterable<unknown>)[Symbol.iterator] === 'function') {
      for (const pair of init as Iterable<readonly [unknown, unknown]>) {
        const items = [...pair];
        if (items.length !== 2) throw new TypeError('each pair of Headers has a name and a value');
        this.append(items[0], items[1]);
      }
    } else {
      for (const [name, value] of Object.entries(init)) this.append(name, value);
    }
  }

  append(name: unknown, value: unknown): void {
    const key = nameOf(name);
    const list = this.#values.get(key);
    if (list === undefined) this.#values.set(key, [valueOf(value, key)]);
    else list.push(valueOf(value, key));
  }
  set(name: unknown, value: unknown): void {
    const key = nameOf(name);
    this.#values.set(key, [valueOf(value, key)]);
  }
  delete(name: unknown): void {
    this.#values.delete(nameOf(name));
  }
  get(name: unknown): string | null {
    return this.#values.get(nameOf(name))?.join(', ') ?? null;
  }
  has(name: unknown): boolean {
    return this.#values.has(nameOf(name));
  }
  getSetCookie(): string[] {
    return [...(this.#values.get('set-cookie') ?? [])];
  }
  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this) Reflect.apply(callback, self, [value, name, this]);
  }
  *entries(): Generator<[string, string], undefined> {
    for (const name of [...this.#values.keys()].sort()) {
      const values = this.#values.get(name);
      if (values === undefined) continue;
      if (name === 'set-cookie') for (const value of values) yield [name, value];
      else yield [name, values.join(', ')];
    }
  }
  *keys(): Generator<string, undefined> {
    for (const [name] of this.entries()) yield name;
  }
  *values(): Generator<string, undefined> {
    for (const [, value] of this.entries()) yield value;
  }
  [Symbol.iterator](): Generator<[string, string], undefined> {
    return this.entries();
  }
  get [Symbol.toStringTag](): string {
    return 'Headers';
  }
}

function nameOf(name: unknown): string {
  const text = String(name);
  if (!TOKEN.test(text)) throw new TypeError(`"${text.slice(0, 100)}" is not a header name`);
  return text.toLowerCase();
}

function valueOf(value: unknown, name: string): string {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (FORBIDDEN.test(text))
    throw new TypeError(`the value of the header "${name}" has a character that headers cannot hold`);
  return text;
}
