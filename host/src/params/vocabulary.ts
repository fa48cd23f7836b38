import type { JsonValue } from '@goflow/plugin-sdk/contract';
import { PARAMETER_TYPES } from './declaration.ts';
import { FORMATS, NUMBER_FORMATS } from './formats.ts';
import { firstDuplicate } from './unique-items.ts';

/** JSON types as schemas name them. */
export const SCHEMA_TYPES = [...PARAMETER_TYPES, 'null'] as const;

/** What a keyword's value is: a rule for plain values, or where schemas stand in it. */
type Shape = { readonly rule: (value: JsonValue) => string | null } | { readonly schemas: 'one' | 'list' | 'map' };

/** A keyword of JSON Schema 2020-12. `fits`: the types of values that it says something about; null: any. */
export type Keyword = { readonly fits: ReadonlySet<string> | null } & Shape;

const any = null;
const ofString = new Set(['string']);
const ofNumber = new Set(['number', 'integer']);
const ofArray = new Set(['array']);
const ofObject = new Set(['object']);

const count = { rule: (value: JsonValue) => (isCount(value) ? null : 'must be a whole number, 0 or more') };
const number = { rule: (value: JsonValue) => (typeof value === 'number' ? null : 'must be a number') };
const text = { rule: (value: JsonValue) => (typeof value === 'string' ? null : 'must be a string') };
const flag = { rule: (value: JsonValue) => (typeof value === 'boolean' ? null : 'must be true or false') };
const anything = { rule: () => null };
const names = { rule: (value: JsonValue) => (isNames(value) ? null : 'must be an array of different strings') };

/** Most values of an `enum`. */
const MAX_ENUM = 1000;

/** The keywords that a parameter itself may have, besides GoFlow's own. Kept as the contract lists them. */
export const PARAMETER_KEYWORDS: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  ['description', { fits: any, ...text }],
  ['default', { fits: any, ...anything }],
  ['enum', { fits: any, rule: enumProblem }],
  ['const', { fits: any, ...anything }],
  ['minLength', { fits: ofString, ...count }],
  ['maxLength', { fits: ofString, ...count }],
  // Compiled by the checker, which counts how large all patterns are.
  ['pattern', { fits: ofString, ...text }],
  ['format', { fits: new Set([...ofString, ...ofNumber]), rule: formatProblem }],
  ['minimum', { fits: ofNumber, ...number }],
  ['maximum', { fits: ofNumber, ...number }],
  ['exclusiveMinimum', { fits: ofNumber, ...number }],
  ['exclusiveMaximum', { fits: ofNumber, ...number }],
  [
    'multipleOf',
    { fits: ofNumber, rule: (value) => (typeof value === 'number' && value > 0 ? null : 'must be a number above 0') },
  ],
  ['items', { fits: ofArray, schemas: 'one' }],
  ['minItems', { fits: ofArray, ...count }],
  ['maxItems', { fits: ofArray, ...count }],
  ['uniqueItems', { fits: ofArray, ...flag }],
  ['properties', { fits: ofObject, schemas: 'map' }],
  ['additionalProperties', { fits: ofObject, schemas: 'one' }],
]);

/** The keywords of the schemas within a parameter. No `$ref`: a schema is a finite tree, whose cost can be told beforehand. */
export const NESTED_KEYWORDS: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  ...PARAMETER_KEYWORDS,
  ['type', { fits: any, rule: typeProblem }],
  ['title', { fits: any, ...text }],
  ['examples', { fits: any, rule: (value) => (Array.isArray(value) ? null : 'must be an array') }],
  ['deprecated', { fits: any, ...flag }],
  ['readOnly', { fits: any, ...flag }],
  ['writeOnly', { fits: any, ...flag }],
  ['required', { fits: ofObject, ...names }],
  ['minProperties', { fits: ofObject, ...count }],
  ['maxProperties', { fits: ofObject, ...count }],
  ['propertyNames', { fits: ofObject, schemas: 'one' }],
  ['patternProperties', { fits: ofObject, schemas: 'map' }],
  ['prefixItems', { fits: ofArray, schemas: 'list' }],
  ['contains', { fits: ofArray, schemas: 'one' }],
  ['minContains', { fits: ofArray, ...count }],
  ['maxContains', { fits: ofArray, ...count }],
  ['allOf', { fits: any, schemas: 'list' }],
  ['anyOf', { fits: any, schemas: 'list' }],
  ['oneOf', { fits: any, schemas: 'list' }],
  ['not', { fits: any, schemas: 'one' }],
  ['if', { fits: any, schemas: 'one' }],
  ['then', { fits: any, schemas: 'one' }],
  ['else', { fits: any, schemas: 'one' }],
]);

function isCount(value: JsonValue): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isNames(value: JsonValue): boolean {
  return (
    Array.isArray(value) && value.every((name) => typeof name === 'string') && new Set(value).size === value.length
  );
}

function enumProblem(value: JsonValue): string | null {
  if (!Array.isArray(value) || value.length === 0) return 'must be an array with at least one value';
  if (value.length > MAX_ENUM) return `must have at most ${MAX_ENUM} values, has ${value.length}`;
  const twins = firstDuplicate(value as readonly JsonValue[]);
  return twins === null ? null : `must have different values; ${twins[0]} and ${twins[1]} are equal`;
}

function formatProblem(value: JsonValue): string | null {
  if (typeof value === 'string' && Object.hasOwn(FORMATS, value)) return null;
  return `must be one of ${Object.keys(FORMATS).join(', ')}`;
}

/** The types of values that a format says something about. */
export function typesOfFormat(format: string): ReadonlySet<string> {
  return NUMBER_FORMATS.has(format) ? ofNumber : ofString;
}

function typeProblem(value: JsonValue): string | null {
  const list: readonly JsonValue[] = Array.isArray(value) ? (value as readonly JsonValue[]) : [value];
  const known: readonly unknown[] = SCHEMA_TYPES;
  if (list.length > 0 && list.every((type) => known.includes(type)) && new Set(list).size === list.length) return null;
  return `must be one of ${SCHEMA_TYPES.join(', ')}, or an array of them`;
}
