import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Problem } from '../core/errors.ts';
import { Pattern } from './pattern.ts';
import { childPointer } from './pointer.ts';
import { type Keyword, NESTED_KEYWORDS, typesOfFormat } from './vocabulary.ts';

/** Deepest nesting of schemas within a parameter. */
const MAX_SCHEMA_DEPTH = 16;
/** Most schemas within all parameters of a workflow. */
const MAX_SCHEMAS = 1000;
/** Longest check of the parameters of one workflow, in milliseconds; only hostile patterns come near. */
const MAX_CHECK_MS = 300;
/** Most instructions in all patterns of a workflow together; compiling one takes about a microsecond. */
const MAX_PATTERNS_SIZE = 30_000;
/** Most problems that are told at once. */
export const MAX_PROBLEMS = 100;

/** Goes through the schemas of one workflow and gathers what is wrong with them. */
export class SchemaChecker {
  readonly problems: Problem[] = [];
  readonly #until = performance.now() + MAX_CHECK_MS;
  #schemas = 0;
  #patternsSize = 0;
  #late = false;

  add(pointer: string, keyword: string, message: string): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push({ pointer, message, keyword });
  }

  /** Checks the keywords of an object against a vocabulary; `types`: those that its values may have, null for any. */
  keywords(
    schema: JsonObject,
    pointer: string,
    vocabulary: ReadonlyMap<string, Keyword>,
    types: ReadonlySet<string> | null,
    depth: number,
  ): void {
    if (this.#isLate(pointer)) return;
    for (const [name, value] of Object.entries(schema)) {
      const keyword = vocabulary.get(name);
      if (keyword !== undefined && value !== undefined) this.#keyword(name, keyword, value, pointer, types, depth);
    }
    this.#bounds(schema, pointer);
  }

  #keyword(
    name: string,
    keyword: Keyword,
    value: JsonValue,
    parent: string,
    types: ReadonlySet<string> | null,
    depth: number,
  ): void {
    const pointer = childPointer(parent, name);
    const fits = name === 'format' && typeof value === 'string' ? typesOfFormat(value) : keyword.fits;
    if ('rule' in keyword) {
      const problem = keyword.rule(value);
      if (problem !== null) return this.add(pointer, name, `"${name}" ${problem}`);
    }
    if (fits !== null && types !== null && fits.isDisjointFrom(types)) {
      const what = name === 'format' ? `format "${value as string}"` : `"${name}"`;
      return this.add(
        pointer,
        name,
        `${what} says nothing about type ${[...types].join(' or ')}; it is for ${[...fits].join(' and ')}`,
      );
    }
    if (name === 'pattern' && typeof value === 'string') this.#pattern(value, pointer);
    if ('schemas' in keyword) this.#children(name, keyword.schemas, value, pointer, depth + 1);
  }

  #children(name: string, kind: 'one' | 'list' | 'map', value: JsonValue, pointer: string, depth: number): void {
    if (kind === 'one') return this.schema(value, pointer, depth);
    if (kind === 'list') {
      if (!Array.isArray(value) || value.length === 0)
        return this.add(pointer, name, `"${name}" must be an array of schemas`);
      for (const [index, child] of value.entries())
        this.schema(child as JsonValue, childPointer(pointer, index), depth);
      return;
    }
    if (!isObject(value)) return this.add(pointer, name, `"${name}" must be an object of schemas`);
    for (const [key, child] of Object.entries(value)) {
      const at = childPointer(pointer, key);
      if (name === 'patternProperties') this.#pattern(key, at);
      // Generated code could not tell it from the object's prototype.
      if (key === '__proto__') this.add(at, name, 'a property cannot be called "__proto__"');
      else this.schema(child ?? null, at, depth);
    }
  }

  #pattern(source: string, pointer: string): void {
    if (this.#isLate(pointer)) return;
    try {
      this.#patternsSize += new Pattern(source).size;
      if (this.#patternsSize > MAX_PATTERNS_SIZE) this.#giveUp(pointer);
    } catch (error) {
      this.add(pointer, 'pattern', error instanceof Error ? error.message : String(error));
    }
  }

  /** Checks a schema within a parameter. */
  schema(schema: JsonValue, pointer: string, depth: number): void {
    if (typeof schema === 'boolean') return;
    if (!isObject(schema)) return this.add(pointer, 'type', 'a schema must be an object, true or false');
    this.#schemas += 1;
    if (this.#schemas === MAX_SCHEMAS + 1)
      this.add(pointer, 'maxProperties', `the parameters hold more than ${MAX_SCHEMAS} schemas`);
    if (this.#schemas > MAX_SCHEMAS) return;
    if (depth > MAX_SCHEMA_DEPTH)
      return this.add(pointer, 'maxDepth', `schemas are nested deeper than ${MAX_SCHEMA_DEPTH} levels`);
    for (const name of Object.keys(schema)) {
      if (!NESTED_KEYWORDS.has(name))
        this.add(childPointer(pointer, name), 'additionalProperties', unknownKeyword(name));
    }
    this.keywords(schema, pointer, NESTED_KEYWORDS, typesOf(schema['type']), depth);
  }

  #isLate(pointer: string): boolean {
    if (!this.#late && performance.now() > this.#until) this.#giveUp(pointer);
    return this.#late;
  }

  #giveUp(pointer: string): void {
    if (this.#late) return;
    this.#late = true;
    this.add(pointer, 'maxCost', 'the schemas take too long to check; use fewer or smaller patterns');
  }

  /** No more is checked, as it takes too long. */
  get gaveUp(): boolean {
    return this.#late;
  }

  /** Bounds that no value can keep. */
  #bounds(schema: JsonObject, pointer: string): void {
    for (const [low, high] of BOUNDS) {
      const [from, to] = [schema[low], schema[high]];
      if (typeof from === 'number' && typeof to === 'number' && from > to) {
        this.add(childPointer(pointer, low), low, `"${low}" (${from}) is above "${high}" (${to}): no value fits`);
      }
    }
  }
}

const BOUNDS = [
  ['minLength', 'maxLength'],
  ['minimum', 'maximum'],
  ['minItems', 'maxItems'],
  ['minProperties', 'maxProperties'],
] as const;

function typesOf(type: JsonValue | undefined): ReadonlySet<string> | null {
  if (type === undefined) return null;
  return new Set((Array.isArray(type) ? type : [type]).map(String));
}

function unknownKeyword(name: string): string {
  const hint =
    name === '$ref' ? ': write the schema in place' : `; known are ${[...NESTED_KEYWORDS.keys()].join(', ')}`;
  return `"${name}" is not a keyword that a parameter's schema may have${hint}`;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
