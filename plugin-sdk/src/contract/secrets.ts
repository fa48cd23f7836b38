import type { JsonObject, JsonValue } from './json.ts';

/** Secrets shorter than this are not masked: every text would be full of false finds, and they are no secrets. */
export const MIN_MASKED_CHARS = 4;

/** What stands where a secret was. */
export const MASK = '***';

/** Deeper than this nothing is looked up in a schema any more: all that lies below counts as secret. */
const MAX_DEPTH = 32;

/** Gives the replacement of a secret value; `value` is a string or number. */
export type SecretReplacer = (value: string | number) => JsonValue;

/** All `writeOnly` strings and numbers (as text) of a credential, each once. Without a schema every value counts as secret. */
export function collectSecrets(schema: JsonObject | null, values: JsonValue): string[] {
  const found = new Set<string>();
  replaceSecrets(schema, values, (value) => {
    found.add(String(value));
    return value;
  });
  return [...found];
}

/**
 * A copy of `values` in which each string or number that the schema marks `writeOnly: true` (itself or anything around it, through
 * `properties`, `items`, `allOf`, local `$ref` and so on) is replaced. Empty strings, booleans and null stay as they are.
 */
export function replaceSecrets(schema: JsonObject | null, values: JsonValue, replace: SecretReplacer): JsonValue {
  return replaceIn(values, schema === null ? null : [schema], schema ?? {}, replace, 0);
}

/** `schemas`: all that apply to `value`; `null` when it is known to be secret. */
function replaceIn(
  value: JsonValue,
  schemas: readonly JsonObject[] | null,
  root: JsonObject,
  replace: SecretReplacer,
  depth: number,
): JsonValue {
  const all = schemas === null || depth > MAX_DEPTH ? null : expand(schemas, root);
  const secret = all === null || all.some((schema) => schema['writeOnly'] === true);
  if (typeof value === 'string') return secret && value !== '' ? replace(value) : value;
  if (typeof value === 'number') return secret ? replace(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value))
    return (value as readonly JsonValue[]).map((item, index) =>
      replaceIn(item, secret ? null : itemSchemas(all, index), root, replace, depth + 1),
    );
  const copy: Record<string, JsonValue> = {};
  for (const [key, member] of Object.entries(value as JsonObject)) {
    if (member === undefined) continue;
    const replaced = replaceIn(member, secret ? null : memberSchemas(all, key), root, replace, depth + 1);
    Object.defineProperty(copy, key, { value: replaced, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

/** The schemas with everything that applies to the same place: `allOf`, `if`, local references. All branches count. */
function expand(schemas: readonly JsonObject[], root: JsonObject): readonly JsonObject[] {
  const seen = new Set<JsonObject>();
  const queue = [...schemas];
  for (let schema = queue.pop(); schema !== undefined; schema = queue.pop()) {
    if (seen.has(schema)) continue;
    seen.add(schema);
    for (const key of ['allOf', 'anyOf', 'oneOf'])
      if (Array.isArray(schema[key])) queue.push(...(schema[key] as readonly JsonValue[]).flatMap(asSchema));
    for (const key of ['if', 'then', 'else']) queue.push(...asSchema(schema[key]));
    if (isObject(schema['dependentSchemas']))
      queue.push(...Object.values(schema['dependentSchemas']).flatMap(asSchema));
    if (typeof schema['$ref'] === 'string') queue.push(...asSchema(lookUp(root, schema['$ref'])));
  }
  return [...seen];
}

function memberSchemas(schemas: readonly JsonObject[], key: string): JsonObject[] {
  return schemas.flatMap((schema) => {
    const properties = schema['properties'];
    const named = isObject(properties) && Object.hasOwn(properties, key) ? asSchema(properties[key]) : [];
    // A pattern is not run here (it could be slow): a secret of any pattern makes the member secret.
    const patterns = isObject(schema['patternProperties'])
      ? Object.values(schema['patternProperties']).flatMap(asSchema)
      : [];
    const others = named.length > 0 ? [] : asSchema(schema['additionalProperties']);
    return [...named, ...patterns, ...others, ...asSchema(schema['unevaluatedProperties'])];
  });
}

function itemSchemas(schemas: readonly JsonObject[], index: number): JsonObject[] {
  return schemas.flatMap((schema) => {
    const prefix = Array.isArray(schema['prefixItems']) ? (schema['prefixItems'] as readonly JsonValue[]) : [];
    return [...asSchema(prefix[index]), ...asSchema(schema['items']), ...asSchema(schema['contains'])];
  });
}

function lookUp(root: JsonObject, reference: string): JsonValue | undefined {
  if (!reference.startsWith('#')) return undefined;
  let place: JsonValue | undefined = root;
  for (const part of reference.slice(1).split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isObject(place) || !Object.hasOwn(place, key)) return undefined;
    place = place[key];
  }
  return place;
}

function asSchema(value: JsonValue | undefined): JsonObject[] {
  return isObject(value) ? [value] : [];
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
