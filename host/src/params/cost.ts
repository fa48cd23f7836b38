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

/** A keyword that tries schemas (`anyOf`, `contains`, …) makes an error object for each that fails, which costs more than the check. */
const TRIED = 4;
/** The errors of a `contains` are kept until its end. */
const TRIED_AND_KEPT = 12;

/** Most checks that a value of at most `values` smallest parts can cause. Schemas without `$ref`, checked by SchemaChecker. */
export function worstChecks(schema: JsonValue | undefined, values = 1): number {
  if (schema === undefined) return 0;
  if (!isObject(schema)) return values;
  const here = Object.entries(schema).reduce((total, [keyword, value]) => total + checksOf(keyword, value), 1) * values;
  // In one place every schema looks at the same value: their costs add up.
  const inPlace = total([...list(schema['allOf']), schema['then'], schema['else']], values);
  const tried =
    total([...list(schema['anyOf']), ...list(schema['oneOf']), schema['not'], schema['if']], values) * TRIED;
  // Places that lie beside each other share the request's bytes: the dearest counts.
  const beside = [...list(schema['prefixItems']), ...map(schema['properties'])].map((child) =>
    worstChecks(child, values),
  );
  const items = Math.min(MAX_VALUES, values * numberOr(schema['maxItems'], MAX_VALUES));
  const inItems = worstChecks(schema['items'], items) + worstChecks(schema['contains'], items) * TRIED_AND_KEPT;
  const members = Math.min(MAX_VALUES / SMALLEST_PROPERTY, values * numberOr(schema['maxProperties'], MAX_VALUES));
  const inMembers = total(
    [schema['additionalProperties'], schema['propertyNames'], ...map(schema['patternProperties'])],
    members,
  );
  return here + inPlace + tried + Math.max(inItems, inMembers, ...beside);
}

function total(schemas: ReadonlyArray<JsonValue | undefined>, values: number): number {
  return schemas.reduce<number>((sum, schema) => sum + worstChecks(schema, values), 0);
}

function checksOf(keyword: string, value: JsonValue | undefined): number {
  if (keyword === 'enum' && Array.isArray(value))
    return value.reduce<number>((sum, item) => sum + sizeOf(item as JsonValue), 1);
  if (keyword === 'const' && value !== undefined) return 1 + sizeOf(value);
  if (keyword === 'properties' && isObject(value)) return Object.keys(value).length;
  if ((keyword === 'required' || keyword === 'prefixItems') && Array.isArray(value)) return value.length;
  return keyword === 'uniqueItems' ? 10 : 1;
}

/** What comparing with a value costs. */
function sizeOf(value: JsonValue): number {
  return isPlain(value) ? 0.2 : JSON.stringify(value).length / 8;
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
