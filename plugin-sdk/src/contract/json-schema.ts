import type { ErrorObject } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';
import { below } from './canonical.ts';
import { compileSchema, HOLDS_NAMES, HOLDS_VALUES, metaSchemaErrors } from './compile-schema.ts';
import type { JsonSchema } from './manifest.ts';

/**
 * JSON Schema 2020-12 of strangers, made safe to compile and to run: size and depth are bounded, patterns run in linear time
 * (RE2), references stay inside the document and cannot multiply the work.
 */

export const MAX_SCHEMA_CHARS = 256 * 1024;
export const MAX_SCHEMA_DEPTH = 48;
/** Sub-schemas that one value can meet at one place, references followed. */
const MAX_SCHEMA_WORK = 20_000;

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** A fault with the place where it is. `pointer` is a JSON Pointer (RFC 6901). */
export interface SchemaProblem {
  readonly pointer: string;
  readonly message: string;
}

/** What is wrong with a schema; empty when it is sound. Pointers begin with `at`. */
export function schemaProblems(schema: unknown, at = ''): SchemaProblem[] {
  if (typeof schema === 'boolean') return [];
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    return [{ pointer: at, message: 'must be a JSON Schema: an object, true or false' }];
  }
  const shape = shapeProblems(schema, at);
  if (shape.length > 0) return shape;
  if (JSON.stringify(schema).length > MAX_SCHEMA_CHARS) {
    return [{ pointer: at, message: `is a schema of more than ${MAX_SCHEMA_CHARS / 1024} kB` }];
  }
  const errors = metaSchemaErrors(schema);
  if (errors.length > 0) return metaProblems(errors, at);
  try {
    compileSchema(schema as JsonSchema);
    if (schemaWork(schema) <= MAX_SCHEMA_WORK) return [];
    return [{ pointer: at, message: 'has references that multiply: checking one value could take too long' }];
  } catch (error) {
    return [{ pointer: at, message: error instanceof Error ? error.message : String(error) }];
  }
}

/** The errors of a validation for people, with pointers that begin with `at`. */
export function validationProblems(errors: readonly ErrorObject[] | null | undefined, at = ''): SchemaProblem[] {
  return (errors ?? []).map((error) => {
    const key =
      error.params['missingProperty'] ?? error.params['additionalProperty'] ?? error.params['unevaluatedProperty'];
    const place = at + error.instancePath;
    const allowed =
      error.keyword === 'enum'
        ? `: ${(error.params['allowedValues'] as unknown[]).map((v) => JSON.stringify(v)).join(', ')}`
        : '';
    if (error.keyword === 'required') return { pointer: below(place, String(key)), message: 'is missing' };
    if (typeof key === 'string') return { pointer: below(place, key), message: 'is not a known property' };
    return { pointer: place, message: `${error.message ?? 'is not valid'}${allowed}` };
  });
}

/** Ajv's meta-schema errors come in groups for one fault (anyOf and its branches): the deepest place says most. */
function metaProblems(errors: readonly ErrorObject[], at: string): SchemaProblem[] {
  const found = new Map<string, SchemaProblem>();
  for (const problem of validationProblems(errors, at))
    if (!found.has(problem.pointer)) found.set(problem.pointer, problem);
  const places = [...found.keys()];
  return [...found.values()]
    .filter(({ pointer }) => !places.some((other) => other.startsWith(`${pointer}/`)))
    .slice(0, 20);
}

/** What must be known before anything recursive touches the schema: depth, dialect, ids, patterns. */
function shapeProblems(root: object, at: string): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  const visit = (value: unknown, pointer: string, depth: number, inSchema: boolean): void => {
    if (typeof value !== 'object' || value === null || problems.length >= 20) return;
    if (depth > MAX_SCHEMA_DEPTH) {
      problems.push({ pointer, message: `is deeper than ${MAX_SCHEMA_DEPTH} levels` });
      return;
    }
    if (inSchema && !Array.isArray(value)) problems.push(...keywordProblems(value as Record<string, unknown>, pointer));
    for (const [key, member] of Object.entries(value)) {
      // `enum`, `const`, `default` and `examples` hold values; `properties` and its like hold names.
      const isSchema = Array.isArray(value) ? inSchema : !inSchema || !HOLDS_VALUES.has(key);
      if (inSchema && HOLDS_VALUES.has(key)) continue;
      visit(member, below(pointer, key), depth + 1, inSchema && HOLDS_NAMES.has(key) ? false : isSchema);
    }
  };
  visit(root, at, 0, true);
  return problems;
}

function keywordProblems(schema: Record<string, unknown>, pointer: string): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  const dialect = schema['$schema'];
  if (dialect !== undefined && dialect !== DIALECT) {
    problems.push({ pointer: below(pointer, '$schema'), message: `must be "${DIALECT}" or left out` });
  }
  if (schema['$id'] !== undefined) {
    problems.push({
      pointer: below(pointer, '$id'),
      message: 'is not supported; put shared parts under $defs and refer to "#/$defs/NAME"',
    });
  }
  const reference = schema['$ref'];
  if (typeof reference === 'string' && reference !== '#' && !reference.startsWith('#/')) {
    problems.push({
      pointer: below(pointer, '$ref'),
      message: `"${reference}" is not followed; only "#" and "#/…" are, as "#/$defs/NAME"`,
    });
  }
  for (const keyword of ['$anchor', '$dynamicRef', '$dynamicAnchor']) {
    if (schema[keyword] !== undefined)
      problems.push({ pointer: below(pointer, keyword), message: 'is not supported; use "$ref": "#/$defs/NAME"' });
  }
  const patterns =
    typeof schema['patternProperties'] === 'object' && schema['patternProperties'] !== null
      ? Object.keys(schema['patternProperties'])
      : [];
  if (typeof schema['pattern'] === 'string') patterns.push(schema['pattern']);
  for (const pattern of patterns) {
    try {
      RE2JS.compile(pattern);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      problems.push({ pointer, message: `pattern ${JSON.stringify(pattern)} is not RE2 syntax: ${reason}` });
    }
  }
  return problems;
}

/** How many sub-schemas one value can meet in the worst case; a reference back to where it came from counts once. */
function schemaWork(root: object): number {
  const known = new Map<object, number>();
  const open = new Set<object>();
  const visit = (schema: unknown, inSchema = true): number => {
    if (typeof schema !== 'object' || schema === null) return 0;
    const before = known.get(schema);
    if (before !== undefined) return before;
    if (open.has(schema)) return 1;
    open.add(schema);
    let work = 1;
    for (const [key, member] of Object.entries(schema)) {
      if (!inSchema) work += visit(member);
      else if (key === '$ref' && typeof member === 'string') work += visit(resolveLocal(root, member));
      else if (!HOLDS_VALUES.has(key) && key !== '$defs' && key !== 'definitions')
        work += visit(member, !HOLDS_NAMES.has(key));
    }
    open.delete(schema);
    work = Math.min(work, Number.MAX_SAFE_INTEGER);
    known.set(schema, work);
    return work;
  };
  return visit(root);
}

function resolveLocal(root: object, reference: string): unknown {
  let value: unknown = root;
  for (const part of decodeURIComponent(reference.slice(1)).split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return value;
}
