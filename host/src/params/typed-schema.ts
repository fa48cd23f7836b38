import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import { isObject } from './check-schema.ts';

const ONE = new Set(['items', 'additionalProperties', 'propertyNames', 'contains', 'not', 'if', 'then', 'else']);
const LIST = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const MAP = new Set(['properties', 'patternProperties']);
/** Notes for people, which ajv's strict mode may misread. */
const NOTES = new Set(['description', 'title', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly']);

/** A schema as it is compiled: without notes, and integers bounded to those that a JSON number keeps exactly, ±(2^53 − 1). */
export function compilable(schema: JsonObject): JsonObject {
  const entries: Array<[string, JsonValue | undefined]> = [];
  for (const [keyword, value] of Object.entries(schema)) {
    if (NOTES.has(keyword)) continue;
    if (ONE.has(keyword)) entries.push([keyword, child(value)]);
    else if (LIST.has(keyword) && Array.isArray(value)) entries.push([keyword, value.map(child) as JsonValue[]]);
    else if (MAP.has(keyword) && isObject(value))
      entries.push([keyword, Object.fromEntries(Object.entries(value).map(([key, part]) => [key, child(part)]))]);
    else entries.push([keyword, value]);
  }
  const bounded: JsonObject = Object.fromEntries(entries);
  if (schema['type'] !== 'integer') return bounded;
  return {
    ...bounded,
    minimum: Math.max(Number.MIN_SAFE_INTEGER, numberOr(schema['minimum'], Number.MIN_SAFE_INTEGER)),
    maximum: Math.min(Number.MAX_SAFE_INTEGER, numberOr(schema['maximum'], Number.MAX_SAFE_INTEGER)),
  };
}

function child(value: JsonValue | undefined): JsonValue {
  return isObject(value) ? compilable(value) : (value ?? true);
}

function numberOr(value: JsonValue | undefined, other: number): number {
  return typeof value === 'number' ? value : other;
}
