import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import { isObject } from './check-schema.ts';
import { pointerSegments, valueAt } from './pointer.ts';

/**
 * How long may a validation take? The worst request is a megabyte of the smallest values that reach the most checks. Told from the schema
 * alone, so that a workflow which could stall the host is refused when it is saved. Patterns are counted while they run (pattern.ts).
 */
const MAX_VALUES = 500_000;
const SMALLEST_PROPERTY = 6;
/** Checks of one validation; about 20 ns each. */
export const MAX_CHECKS = 30_000_000;

/** Most checks that a value of at most `values` smallest parts can cause. Schemas without `$ref`, checked by SchemaChecker. */
export function worstChecks(schema: JsonValue | undefined, values = 1): number {
  if (!isObject(schema)) return 1;
  let here = 0;
  for (const [keyword, value] of Object.entries(schema)) here += checksOf(keyword, value);
  const items = Math.min(MAX_VALUES, values * numberOr(schema['maxItems'], MAX_VALUES));
  const members = Math.min(MAX_VALUES / SMALLEST_PROPERTY, values * numberOr(schema['maxProperties'], MAX_VALUES));
  // In one place every schema looks at the same value: their costs add up. Places that lie beside each other share the request's bytes.
  const inPlace = [
    ...list(schema['allOf']),
    ...list(schema['anyOf']),
    ...list(schema['oneOf']),
    schema['not'],
    schema['if'],
    schema['then'],
    schema['else'],
  ];
  const beside = [...list(schema['prefixItems']), ...map(schema['properties'])].map((child) =>
    worstChecks(child, values),
  );
  const many = [worstChecks(schema['items'], items) + worstChecks(schema['contains'], items)];
  many.push(
    [schema['additionalProperties'], schema['propertyNames'], ...map(schema['patternProperties'])]
      .map((child) => worstChecks(child, members))
      .reduce(sum, 0),
  );
  return (
    here * values +
    inPlace
      .filter((child) => child !== undefined)
      .map((child) => worstChecks(child, values))
      .reduce(sum, 0) +
    Math.max(0, ...beside, ...many)
  );
}

function checksOf(keyword: string, value: JsonValue | undefined): number {
  if (keyword === 'enum' && Array.isArray(value))
    return value.map((item) => (isPlain(item as JsonValue) ? 0.1 : JSON.stringify(item).length / 8)).reduce(sum, 1);
  if (keyword === 'const' && value !== undefined && !isPlain(value)) return JSON.stringify(value).length / 8;
  if (keyword === 'properties' && isObject(value)) return Object.keys(value).length;
  if ((keyword === 'required' || keyword === 'prefixItems') && Array.isArray(value)) return value.length;
  if (keyword === 'uniqueItems') return 10;
  return 1;
}

function isPlain(value: JsonValue): boolean {
  return typeof value !== 'object' || value === null;
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

function map(value: JsonValue | undefined): ReadonlyArray<JsonValue | undefined> {
  return isObject(value) ? Object.values(value) : [];
}

function numberOr(value: JsonValue | undefined, other: number): number {
  return typeof value === 'number' ? value : other;
}

function sum(a: number, b: number): number {
  return a + b;
}

/** Most schemas of a plugin's schema after following its references. */
const MAX_EXPANDED = 20_000;

/** Whether references make a schema explode: `$ref`s that double at each level take for ever on the smallest value. */
export function explodes(schema: JsonValue): boolean {
  let visits = 0;
  const open = new Set<JsonObject>();
  const visit = (node: JsonValue | undefined): boolean => {
    if (typeof node !== 'object' || node === null) return false;
    visits += 1;
    if (visits > MAX_EXPANDED) return true;
    if (Array.isArray(node)) return node.some((child) => visit(child as JsonValue));
    const object = node as JsonObject;
    if (open.has(object)) return false;
    open.add(object);
    const reference = object['$ref'];
    const target =
      typeof reference === 'string' && reference.startsWith('#') ? referenced(schema, reference) : undefined;
    const tooMany = visit(target) || Object.entries(object).some(([key, child]) => key !== '$defs' && visit(child));
    open.delete(object);
    return tooMany;
  };
  return visit(schema);
}

function referenced(schema: JsonValue, reference: string): JsonValue | undefined {
  const pointer = reference.slice(1);
  return pointer === '' || pointerSegments(pointer).length > 0
    ? (valueAt(schema, pointer) as JsonValue | undefined)
    : undefined;
}
