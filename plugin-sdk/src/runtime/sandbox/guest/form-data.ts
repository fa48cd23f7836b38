import { File, isBlob } from './blob.ts';

type Entry = [name: string, value: string | File];

export class FormData {
  #entries: Entry[] = [];

  constructor(form?: unknown) {
    if (form !== undefined) throw new TypeError('there are no form elements here: FormData takes no arguments');
  }

  append(name: unknown, value: unknown, filename?: unknown): void {
    this.#entries.push([String(name), entryValue(value, filename)]);
  }
  set(name: unknown, value: unknown, filename?: unknown): void {
    const key = String(name);
    const entry: Entry = [key, entryValue(value, filename)];
    const first = this.#entries.findIndex(([n]) => n === key);
    if (first < 0) this.#entries.push(entry);
    else {
      this.#entries = this.#entries.filter(([n], i) => n !== key || i === first);
      this.#entries[first] = entry;
    }
  }
  delete(name: unknown): void {
    this.#entries = this.#entries.filter(([n]) => n !== String(name));
  }
  get(name: unknown): string | File | null {
    return this.#entries.find(([n]) => n === String(name))?.[1] ?? null;
  }
  getAll(name: unknown): (string | File)[] {
    return this.#entries.filter(([n]) => n === String(name)).map(([, value]) => value);
  }
  has(name: unknown): boolean {
    return this.#entries.some(([n]) => n === String(name));
  }
  forEach(callback: (value: string | File, name: string, form: FormData) => void, self?: unknown): void {
    for (const [name, value] of this) Reflect.apply(callback, self, [value, name, this]);
  }
  *entries(): Generator<Entry, undefined> {
    for (let i = 0; i < this.#entries.length; i++) {
      const [name, value] = this.#entries[i] as Entry;
      yield [name, value];
    }
  }
  *keys(): Generator<string, undefined> {
    for (const [name] of this.entries()) yield name;
  }
  *values(): Generator<string | File, undefined> {
    for (const [, value] of this.entries()) yield value;
  }
  [Symbol.iterator](): Generator<Entry, undefined> {
    return this.entries();
  }
  get [Symbol.toStringTag](): string {
    return 'FormData';
  }
}

function entryValue(value: unknown, filename: unknown): string | File {
  if (!isBlob(value)) return String(value);
  if (value instanceof File && filename === undefined) return value;
  const name = filename === undefined ? 'blob' : filename;
  return new File([value], name, { type: value.type });
}
