import type { UrlPart, UrlParts } from '../border.ts';
import { outer } from './outer.ts';
import { URLSearchParams, linkParams } from './url-search-params.ts';
import { textOf } from './text.ts';

const [HREF, PROTOCOL, USERNAME, PASSWORD, HOST, HOSTNAME, PORT, PATHNAME, SEARCH, HASH, ORIGIN] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
] as const;

/** The URL Standard's URL; parsing and setting are done by Node's in the outer realm, as strings. */
export class URL {
  #parts: UrlParts;
  #params: URLSearchParams | null = null;
  #replaceParams: ((search: string) => void) | null = null;

  constructor(url: unknown, base?: unknown) {
    const parts = parse(url, base);
    if (parts === null) throw invalid(url);
    this.#parts = parts;
  }

  static canParse(url: unknown, base?: unknown): boolean {
    return parse(url, base) !== null;
  }

  static parse(url: unknown, base?: unknown): URL | null {
    return parse(url, base) === null ? null : new URL(url, base);
  }

  get href(): string {
    return this.#parts[HREF];
  }
  set href(value: string) {
    const parts = parse(value, undefined);
    if (parts === null) throw invalid(value);
    this.#parts = parts;
    this.#replaceParams?.(parts[SEARCH]);
  }
  get origin(): string {
    return this.#parts[ORIGIN];
  }
  get protocol(): string {
    return this.#parts[PROTOCOL];
  }
  set protocol(value: string) {
    this.#change('protocol', value);
  }
  get username(): string {
    return this.#parts[USERNAME];
  }
  set username(value: string) {
    this.#change('username', value);
  }
  get password(): string {
    return this.#parts[PASSWORD];
  }
  set password(value: string) {
    this.#change('password', value);
  }
  get host(): string {
    return this.#parts[HOST];
  }
  set host(value: string) {
    this.#change('host', value);
  }
  get hostname(): string {
    return this.#parts[HOSTNAME];
  }
  set hostname(value: string) {
    this.#change('hostname', value);
  }
  get port(): string {
    return this.#parts[PORT];
  }
  set port(value: string) {
    this.#change('port', value);
  }
  get pathname(): string {
    return this.#parts[PATHNAME];
  }
  set pathname(value: string) {
    this.#change('pathname', value);
  }
  get search(): string {
    return this.#parts[SEARCH];
  }
  set search(value: string) {
    this.#change('search', value);
    this.#replaceParams?.(this.#parts[SEARCH]);
  }
  get hash(): string {
    return this.#parts[HASH];
  }
  set hash(value: string) {
    this.#change('hash', value);
  }
  get searchParams(): URLSearchParams {
    if (this.#params === null) {
      this.#params = new URLSearchParams(this.#parts[SEARCH]);
      this.#replaceParams = linkParams(this.#params, (search) => this.#change('search', search));
    }
    return this.#params;
  }
  toString(): string {
    return this.href;
  }
  toJSON(): string {
    return this.href;
  }
  get [Symbol.toStringTag](): string {
    return 'URL';
  }

  #change(part: UrlPart, value: unknown): void {
    this.#parts = outer.changeUrl(this.#parts[HREF], part, String(value));
  }
}

function parse(url: unknown, base: unknown): UrlParts | null {
  return outer.parseUrl(String(url), base === undefined ? null : textOf(base));
}

function invalid(url: unknown): TypeError {
  const error = new TypeError(`Invalid URL: "${String(url).slice(0, 200)}"`);
  Object.defineProperty(error, 'code', { value: 'ERR_INVALID_URL', enumerable: true });
  return error;
}
