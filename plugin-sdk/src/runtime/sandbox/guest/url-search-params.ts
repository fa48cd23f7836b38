import { utf8, utf8Text } from './bytes.ts';
import { textOf } from './text.ts';

type Pair = [name: string, value: string];
type Init = string | Iterable<readonly [unknown, unknown]> | Readonly<Record<string, unknown>> | URLSearchParams;

/** Ties the params of a URL to it; returns how the URL replaces them. */
export let linkParams: (params: URLSearchParams, onChange: (search: string) => void) => (search: string) => void;

export class URLSearchParams {
  #pairs: Pair[];
  #onChange: ((search: string) => void) | null = null;

  static {
    linkParams = (params, onChange) => {
      params.#onChange = onChange;
      return (search) => {
        params.#pairs = parsePairs(search);
      };
    };
  }

  constructor(init: Init = '') {
    if (init === null || typeof init !== 'object') this.#pairs = parsePairs(String(init as unknown));
    else this.#pairs = pairsOf(init);
  }

  get size(): number {
    return this.#pairs.length;
  }
  append(name: unknown, value: unknown): void {
    this.#pairs.push([String(name), String(value)]);
    this.#changed();
  }
  delete(name: unknown, value?: unknown): void {
    this.#pairs = this.#pairs.filter(([n, v]) => n !== String(name) || (value !== undefined && v !== textOf(value)));
    this.#changed();
  }
  get(name: unknown): string | null {
    return this.#pairs.find(([n]) => n === String(name))?.[1] ?? null;
  }
  getAll(name: unknown): string[] {
    return this.#pairs.filter(([n]) => n === String(name)).map(([, v]) => v);
  }
  has(name: unknown, value?: unknown): boolean {
    return this.#pairs.some(([n, v]) => n === String(name) && (value === undefined || v === textOf(value)));
  }
  set(name: unknown, value: unknown): void {
    const key = String(name);
    const first = this.#pairs.findIndex(([n]) => n === key);
    if (first < 0) this.#pairs.push([key, String(value)]);
    else {
      this.#pairs = this.#pairs.filter(([n], i) => n !== key || i === first);
      this.#pairs[first] = [key, String(value)];
    }
    this.#changed();
  }
  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed();
  }
  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, self?: unknown): void {
    for (const [name, value] of this) Reflect.apply(callback, self, [value, name, this]);
  }
  *entries(): Generator<Pair, undefined> {
    for (let i = 0; i < this.#pairs.length; i++) {
      const [name, value] = this.#pairs[i] as Pair;
      yield [name, value];
    }
  }
  *keys(): Generator<string, undefined> {
    for (const [name] of this.entries()) yield name;
  }
  *values(): Generator<string, undefined> {
    for (const [, value] of this.entries()) yield value;
  }
  [Symbol.iterator](): Generator<Pair, undefined> {
    return this.entries();
  }
  toString(): string {
    return this.#pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  }
  get [Symbol.toStringTag](): string {
    return 'URLSearchParams';
  }

  #changed(): void {
    this.#onChange?.(this.toString());
  }
}

function pairsOf(init: Exclude<Init, string>): Pair[] {
  if (typeof (init as Iterable<unknown>)[Symbol.iterator] !== 'function') {
    return Object.entries(init as Record<string, unknown>).map(([name, value]) => [name, String(value)]);
  }
  return [...(init as Iterable<readonly [unknown, unknown]>)].map((pair) => {
    const items = [...pair];
    if (items.length !== 2) throw new TypeError('each pair of URLSearchParams has a name and a value');
    return [String(items[0]), String(items[1])];
  });
}

/** `application/x-www-form-urlencoded` text, with or without `?`. */
export function parsePairs(text: string): Pair[] {
  const query = text.startsWith('?') ? text.slice(1) : text;
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      return equals < 0 ? [decode(part), ''] : [decode(part.slice(0, equals)), decode(part.slice(equals + 1))];
    });
}

function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  const bytes = utf8(spaced);
  const decoded = new Uint8Array(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const hex = bytes[i] === 0x25 ? hexPair(bytes[i + 1], bytes[i + 2]) : -1;
    decoded[length++] = hex < 0 ? (bytes[i] as number) : hex;
    if (hex >= 0) i += 2;
  }
  return utf8Text(decoded.slice(0, length));
}

function hexPair(high: number | undefined, low: number | undefined): number {
  const h = hexDigit(high);
  const l = hexDigit(low);
  return h < 0 || l < 0 ? -1 : h * 16 + l;
}

function hexDigit(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const upper = code & ~0x20;
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x37 : -1;
}

const PLAIN = /^[A-Za-z0-9*\-._]*$/;

function encode(text: string): string {
  if (PLAIN.test(text)) return text;
  let out = '';
  for (const byte of utf8(text)) {
    const character = String.fromCharCode(byte);
    if (byte === 0x20) out += '+';
    else if (PLAIN.test(character)) out += character;
    else out += `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`;
  }
  return out;
}
