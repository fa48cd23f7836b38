import {
  canonicalJson,
  compileSchema,
  type JsonObject,
  type JsonSchema,
  type JsonValue,
} from '../../contract/index.ts';

/** A value that one schema allows and another does not. `pointer` leads to the place in the schema. */
export interface Refusal {
  readonly pointer: string;
  /** As seen by who gives the values: "is required now". */
  readonly given: string;
  /** As seen by who gets the values: "may be missing now". */
  readonly got: string;
}

/**
 * Why some value that fits `from` may not fit `to`; empty when every one does, as far as that can be told. Errs towards naming a reason:
 * parts of a schema that cannot be compared count as narrower when they differ.
 */
export function refusals(from: JsonSchema, to: JsonSchema, pointer: string): Refusal[] {
  return compare({ schema: from, root: from }, { schema: to, root: to }, pointer, 0);
}

interface Place {
  readonly schema: JsonSchema;
  readonly root: JsonSchema;
}

const MAX_DEPTH = 24;
const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];

function compare(from: Place, to: Place, pointer: string, depth: number): Refusal[] {
  const a = resolved(from);
  const b = resolved(to);
  if (b === true || a === false || depth > MAX_DEPTH) return [];
  if (b === false) return [reason(pointer, 'is not taken any more', 'may be there now, which it was not')];
  const one: JsonObject = a === true ? {} : a;
  if (canonicalJson(one) === canonicalJson(b) && from.root === to.root) return [];
  const down = (x: JsonSchema | undefined, y: JsonSchema | undefined, at: string): Refusal[] =>
    compare(
      { schema: x ?? true, root: from.root },
      { schema: y ?? true, root: to.root },
      `${pointer}/${at}`,
      depth + 1,
    );

  const values = valuesOf(one);
  if (values !== null) return refusedValues(values, b, to.root, pointer);
  const union = branches(one);
  if (union !== null) {
    const others = branches(b);
    return union.flatMap((branch, index) => {
      const ways = (others ?? [b]).map((other) => down(branch, other, `anyOf/${index}`));
      return ways.some((way) => way.length === 0) ? [] : (ways[0] ?? []);
    });
  }
  const choices = branches(b);
  if (choices !== null && !choices.some((choice) => down(one, choice, 'anyOf').length === 0))
    return [reason(pointer, 'takes less than before', 'may be more than before')];
  return [
    ...typeRefusals(one, b, pointer),
    ...enumRefusals(b, pointer),
    ...boundRefusals(one, b, pointer),
    ...objectRefusals(one, b, pointer, down),
    ...arrayRefusals(one, b, down),
    ...incomparable(one, b, pointer),
  ];
}

type Down = (from: JsonSchema | undefined, to: JsonSchema | undefined, at: string) => Refusal[];

function typeRefusals(from: JsonObject, to: JsonObject, pointer: string): Refusal[] {
  const allowed = typesOf(to);
  const gone = typesOf(from).filter(
    (type) => !allowed.includes(type) && !(type === 'integer' && allowed.includes('number')),
  );
  if (gone.length === 0) return [];
  const was = typesOf(from).length === TYPES.length ? ['anything'] : gone;
  return [
    reason(
      pointer,
      `takes ${allowed.join(' or ')} now, not ${was.join(' or ')}`,
      `may be ${was.join(' or ')} now, not only ${allowed.join(' or ')}`,
    ),
  ];
}

function enumRefusals(to: JsonObject, pointer: string): Refusal[] {
  const values = valuesOf(to);
  if (values === null) return [];
  const list = values.map((value) => JSON.stringify(value)).join(', ');
  return [reason(pointer, `takes nothing but ${list} now`, `may be other than ${list} now`)];
}

function refusedValues(values: readonly JsonValue[], to: JsonObject, root: JsonSchema, pointer: string): Refusal[] {
  const whole = typeof root === 'object' && root['$defs'] !== undefined ? { ...to, $defs: root['$defs'] } : to;
  const fits = compileSchema(whole);
  return values
    .filter((value) => !fits(value))
    .map((value) =>
      reason(
        pointer,
        `does not take ${JSON.stringify(value)} any more`,
        `may be ${JSON.stringify(value)} now, which it was not`,
      ),
    );
}

const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];
const SAME = ['pattern', 'format', 'multipleOf', 'uniqueItems', 'contentEncoding', 'contentMediaType'];

function boundRefusals(from: JsonObject, to: JsonObject, pointer: string): Refusal[] {
  const found: Refusal[] = [];
  const say = (key: string): void => {
    const now = JSON.stringify(to[key]);
    found.push(reason(pointer, `has ${key} ${now} now`, `is not held to ${key} ${now} any more`));
  };
  for (const key of LOWER) {
    const least = key.endsWith('inimum') ? Number.NEGATIVE_INFINITY : 0;
    if (typeof to[key] === 'number' && to[key] > Number(from[key] ?? least)) say(key);
  }
  for (const key of UPPER)
    if (typeof to[key] === 'number' && to[key] < Number(from[key] ?? Number.POSITIVE_INFINITY)) say(key);
  for (const key of SAME)
    if (to[key] !== undefined && to[key] !== false && JSON.stringify(from[key]) !== JSON.stringify(to[key])) say(key);
  return found;
}

function objectRefusals(from: JsonObject, to: JsonObject, pointer: string, down: Down): Refusal[] {
  const had = new Set(stringsOf(from['required']));
  const found = stringsOf(to['required'])
    .filter((name) => !had.has(name))
    .map((name) => reason(`${pointer}/${name}`, 'is required now', 'may be missing now'));
  const before = membersOf(from);
  const after = membersOf(to);
  const others = to['additionalProperties'] as JsonSchema | undefined;
  for (const [name, schema] of Object.entries(before)) {
    if (Object.hasOwn(after, name)) found.push(...down(schema, after[name], name));
    else if (others === false) found.push({ ...reason(`${pointer}/${name}`, 'is not taken any more', ''), got: '' });
    else if (typeof others === 'object') found.push(...down(schema, others, name));
  }
  const open = from['additionalProperties'] as JsonSchema | undefined;
  if (others === false && open !== false && allowsObjects(from))
    found.push({ ...reason(pointer, 'takes no unknown fields any more', ''), got: '' });
  if (typeof others === 'object' && open !== undefined) found.push(...down(open, others, '*'));
  return found;
}

function arrayRefusals(from: JsonObject, to: JsonObject, down: Down): Refusal[] {
  const before = (from['prefixItems'] ?? []) as readonly JsonSchema[];
  const after = (to['prefixItems'] ?? []) as readonly JsonSchema[];
  const found = Array.from({ length: Math.max(before.length, after.length) }, (_, index) =>
    down(
      before[index] ?? (from['items'] as JsonSchema | undefined),
      after[index] ?? (to['items'] as JsonSchema | undefined),
      `${index}`,
    ),
  ).flat();
  if (to['items'] !== undefined)
    found.push(...down(from['items'] as JsonSchema | undefined, to['items'] as JsonSchema, '-'));
  return found;
}

const HARD = [
  'allOf',
  'not',
  'if',
  'then',
  'else',
  'patternProperties',
  'propertyNames',
  'contains',
  'dependentSchemas',
  'dependentRequired',
  'unevaluatedProperties',
  'unevaluatedItems',
];

function incomparable(from: JsonObject, to: JsonObject, pointer: string): Refusal[] {
  const differ = HARD.filter(
    (key) => to[key] !== undefined && canonicalJson(to[key]) !== canonicalJson(from[key] ?? null),
  );
  return differ.map((key) => reason(pointer, `"${key}" has changed; it may take less`, `"${key}" has changed`));
}

function reason(pointer: string, given: string, got: string): Refusal {
  return { pointer, given, got };
}

/** The schema behind local references. */
function resolved({ schema, root }: Place): JsonSchema {
  let at = schema;
  for (let hops = 0; hops < MAX_DEPTH && typeof at === 'object' && typeof at['$ref'] === 'string'; hops++) {
    let value: unknown = root;
    for (const part of at['$ref'].slice(1).split('/').slice(1))
      value = (value as JsonObject | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')];
    const { $ref: _followed, ...rest } = at;
    at = typeof value === 'object' && value !== null ? { ...(value as JsonObject), ...rest } : true;
  }
  return at;
}

function valuesOf(schema: JsonObject): readonly JsonValue[] | null {
  if (schema['const'] !== undefined) return [schema['const']];
  return Array.isArray(schema['enum']) ? (schema['enum'] as readonly JsonValue[]) : null;
}

function branches(schema: JsonObject): readonly JsonSchema[] | null {
  const union = schema['anyOf'] ?? schema['oneOf'];
  if (!Array.isArray(union)) return null;
  const { anyOf: _any, oneOf: _one, ...rest } = schema;
  const common = Object.keys(rest).some((key) => key !== 'title' && key !== 'description' && key !== '$defs');
  return (union as readonly JsonSchema[]).map((branch) =>
    common && typeof branch === 'object' ? mergeBranch(rest, branch) : branch,
  );
}

/** A branch of a union together with what stands beside the union. */
function mergeBranch(beside: JsonObject, branch: JsonObject): JsonObject {
  return {
    ...beside,
    ...branch,
    properties: { ...membersOf(beside), ...membersOf(branch) },
    required: [...stringsOf(beside['required']), ...stringsOf(branch['required'])],
  };
}

function typesOf(schema: JsonObject): readonly string[] {
  if (typeof schema['type'] === 'string') return [schema['type']];
  return Array.isArray(schema['type']) ? (schema['type'] as readonly string[]) : TYPES;
}

function allowsObjects(schema: JsonObject): boolean {
  return typesOf(schema).includes('object');
}

function membersOf(schema: JsonObject): Readonly<Record<string, JsonSchema>> {
  return (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
}

function stringsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly string[]) : [];
}
