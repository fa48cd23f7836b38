import type { JsonSchema, JsonValue } from '@goflow/plugin-sdk/contract';
import type { ErrorObject } from 'ajv';
import type { Problem } from '../core/errors.ts';
import { explodes } from './cost.ts';
import { explain } from './explain.ts';
import { type PlaceholderKind, certainErrors } from './partial.ts';
import { refillPatternBudget } from './pattern.ts';
import { SchemaSet, type ValueCheck } from './validator.ts';

/** Checks a value that stands at `pointer` of whatever the problems are told to; an empty list when it fits. */
export type SchemaCheck = (value: JsonValue, pointer?: string) => readonly Problem[];

/**
 * What the messages call the whole value. Those of a `request` quote what was sent; those of an `input`, `output` or `value` of a run do not,
 * as it may hold secret parameters, nor do those of a `credential`, which do not even name members.
 */
type Noun = 'request' | 'input' | 'output' | 'credential' | 'value';

type Compiled = { readonly check: ValueCheck } | { readonly fault: string };

// Schemas live in manifests, which never change: a compiled one is kept as long as its manifest.
const compiled = new WeakMap<object, Compiled>();

/**
 * A check for a schema of a manifest: an action's input or output, a plugin's credential. Never throws: a schema that cannot be used
 * (`schemaFault`) gives a check that says so for every value. No schema, or `true`: everything fits.
 */
export function compileSchema(schema: JsonSchema | undefined, noun: Noun = 'value'): SchemaCheck {
  return (value, pointer = '') => {
    const found = check(schema, value, noun, pointer);
    if ('problem' in found) return [found.problem];
    return explain(found.errors, {
      noun,
      name: null,
      pointer,
      value,
      shown: noun === 'request' ? 'all' : noun === 'credential' ? 'nothing' : 'paths',
    });
  };
}

/** Why a schema of a manifest cannot be used; null when it can. For checking a bundle when it is installed. */
export function schemaFault(schema: JsonSchema): string | null {
  if (typeof schema === 'boolean') return null;
  const made = compile(schema);
  return 'fault' in made ? made.fault : null;
}

/** A value with placeholders: a `Template`, as far as this room needs to know it. */
export interface Unrendered {
  readonly source: JsonValue;
  /** What stands where, by pointer from the value itself. */
  readonly placeholders: ReadonlyMap<string, PlaceholderKind>;
}

/**
 * Checks what can be told of an action's input before its placeholders are rendered: everything outside of them, missing and unknown
 * members, and that a text with placeholders inside is a string.
 */
export function checkSchemaPartial(
  schema: JsonSchema | undefined,
  template: Unrendered,
  pointer: string,
): readonly Problem[] {
  const found = check(schema, template.source, 'input', pointer);
  if ('problem' in found) return [found.problem];
  const errors = certainErrors(found.errors, template.placeholders);
  return explain(errors, { noun: 'input', name: null, pointer, value: template.source, shown: 'all' });
}

type Found = { readonly errors: readonly ErrorObject[] } | { readonly problem: Problem };

function check(schema: JsonSchema | undefined, value: JsonValue, noun: Noun, pointer: string): Found {
  if (schema === undefined || schema === true) return { errors: [] };
  if (schema === false)
    return { problem: { pointer, message: `the ${noun} cannot have any value`, keyword: 'false schema' } };
  const made = compile(schema);
  if ('fault' in made) {
    return {
      problem: {
        pointer,
        message: `the plugin's schema of the ${noun} cannot be used: ${made.fault}`,
        keyword: 'schema',
      },
    };
  }
  refillPatternBudget();
  return { errors: made.check(value) };
}

function compile(schema: Exclude<JsonSchema, boolean>): Compiled {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const made = compileNew(schema);
  compiled.set(schema, made);
  return made;
}

function compileNew(schema: Exclude<JsonSchema, boolean>): Compiled {
  if (explodes(schema)) return { fault: 'its references expand to too many schemas' };
  try {
    return { check: new SchemaSet(false).compile(schema) };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}
