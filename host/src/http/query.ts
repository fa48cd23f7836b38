import { validationError } from '../core/errors.ts';
import type { Problem } from '../core/errors.ts';

/** A query parameter that a route knows. Each kind says what is accepted; OpenAPI shows the same. */
export type QueryParameter = { readonly description: string } & (
  | { readonly kind: 'integer' | 'number'; readonly min: number; readonly max: number; readonly default?: number }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'time' }
  | { readonly kind: 'text'; readonly maxLength: number }
);

export type QuerySpec = Readonly<Record<string, QueryParameter>>;

/** The checked values. Asking for a name gives undefined where it was not sent and has no default. */
export class Query {
  readonly #values: ReadonlyMap<string, string | number>;

  constructor(values: ReadonlyMap<string, string | number>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === 'string' ? value : undefined;
  }

  number(name: string): number | undefined {
    const value = this.#values.get(name);
    return typeof value === 'number' ? value : undefined;
  }
}

const NO_QUERY = new Query(new Map());

/** Checks the query of a request; every problem is reported with the pointer `/query/NAME`. */
export function parseQuery(spec: QuerySpec | 'any', search: string): Query {
  if (spec === 'any' || search === '')
    return spec === 'any' || !hasDefaults(spec) ? NO_QUERY : new Query(defaultsOf(spec));
  const values = defaultsOf(spec);
  const seen = new Set<string>();
  const problems: Problem[] = [];
  const refuse = (name: string, keyword: string, message: string): void => {
    if (problems.length < 20)
      problems.push({
        pointer: `/query/${name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`,
        keyword,
        message,
      });
  };
  for (const [name, raw] of new URLSearchParams(search)) {
    const parameter = Object.hasOwn(spec, name) ? spec[name] : undefined;
    if (parameter === undefined) {
      refuse(
        name,
        'additionalProperties',
        `is not a query parameter of this route; it knows ${list(Object.keys(spec)) || 'none'}`,
      );
      continue;
    }
    if (seen.has(name)) refuse(name, 'maxItems', 'was given twice');
    seen.add(name);
    const value = read(parameter, raw);
    if (typeof value === 'object') refuse(name, value.keyword, value.message);
    else values.set(name, value);
  }
  if (problems.length > 0) throw validationError(problems, 'the query');
  return new Query(values);
}

type Refusal = { readonly keyword: string; readonly message: string };

function read(parameter: QueryParameter, raw: string): string | number | Refusal {
  switch (parameter.kind) {
    case 'integer':
    case 'number': {
      const value = raw.trim() === '' ? Number.NaN : Number(raw);
      const whole = parameter.kind === 'integer' ? 'a whole number' : 'a number';
      if (!DECIMAL.test(raw) || (parameter.kind === 'integer' && !Number.isInteger(value))) {
        return { keyword: 'type', message: `must be ${whole}, got ${quote(raw)}` };
      }
      if (value < parameter.min || value > parameter.max) {
        const keyword = value < parameter.min ? 'minimum' : 'maximum';
        return { keyword, message: `must be ${whole} from ${parameter.min} to ${parameter.max}, got ${quote(raw)}` };
      }
      return value;
    }
    case 'enum':
      return parameter.values.includes(raw)
        ? raw
        : { keyword: 'enum', message: `must be one of ${list(parameter.values)}, got ${quote(raw)}` };
    case 'time':
      return (
        parseTime(raw) ?? {
          keyword: 'format',
          message: `must be a time as in RFC 3339, like 2026-01-31T12:00:00Z, got ${quote(raw)}`,
        }
      );
    case 'text':
    default:
      return raw.length > 0 && raw.length <= parameter.maxLength
        ? raw
        : {
            keyword: raw.length === 0 ? 'minLength' : 'maxLength',
            message: `must have 1 to ${parameter.maxLength} characters`,
          };
  }
}

const DECIMAL = /^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$/;
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d{1,9})?(?:[Zz]|[+\- ](\d\d):(\d\d))$/;

/** RFC 3339 as UTC with milliseconds; null when it is none. */
export function parseTime(raw: string): string | null {
  const match = RFC3339.exec(raw);
  if (match === null) return null;
  const [, year, month, day] = match.map(Number) as number[];
  // Date.parse lets 30 February through as 2 March.
  if ((day as number) > new Date(Date.UTC(year as number, month as number, 0)).getUTCDate()) return null;
  // A "+" that was not escaped arrives as a space.
  const offset = raw.at(-6) === ' ' ? `${raw.slice(0, -6)}+${raw.slice(-5)}` : raw;
  const time = Date.parse(offset.replace(/^(.{10})[t ]/, '$1T').replace(/z$/, 'Z'));
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

function defaultsOf(spec: QuerySpec): Map<string, string | number> {
  const values = new Map<string, string | number>();
  for (const [name, parameter] of Object.entries(spec)) {
    if ('default' in parameter && parameter.default !== undefined) values.set(name, parameter.default);
  }
  return values;
}

function hasDefaults(spec: QuerySpec): boolean {
  for (const name in spec) if ('default' in (spec[name] as QueryParameter)) return true;
  return false;
}

function list(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

function quote(raw: string): string {
  return JSON.stringify(raw.length > 60 ? `${raw.slice(0, 60)}…` : raw);
}
