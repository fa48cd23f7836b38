import { Ajv2020, type ErrorObject, type FuncKeywordDefinition, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { RE2JS } from 're2js';
import type { JsonSchema } from './manifest.ts';

/** Keywords whose values are no schemas. */
export const HOLDS_VALUES = new Set(['enum', 'const', 'default', 'examples']);
/** Keywords that hold names with a schema each. */
export const HOLDS_NAMES = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependentRequired',
]);

/** Runs a schema's `pattern`s in linear time; `(a+)+$` natively takes seconds. Ajv wants `code` and prints it with `toString`. */
function linearRegExp(pattern: string): { test(text: string): boolean } {
  const compiled = RE2JS.compile(pattern);
  return { test: (text) => compiled.matcher(text).find(), toString: () => `/${pattern}/u` } as {
    test(text: string): boolean;
  };
}
linearRegExp.code = 'linearRegExp';

function newAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: true,
    ownProperties: true,
    validateSchema: false,
    logger: false,
    code: { regExp: linearRegExp as never },
  });
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  ajv.addKeyword(stepKeyword);
  return ajv;
}

let shared: Ajv2020 | undefined;

/**
 * Compiles a schema that `schemaProblems` has nothing against. The validator never changes the value: no coercion, no defaults. It
 * never takes long: a value that would need more than `MAX_STEPS` references to be followed does not fit.
 *
 * @throws {Error} when the schema cannot be compiled.
 */
export function compileSchema(schema: JsonSchema): Validate {
  shared ??= newAjv();
  const counted = JSON.stringify(schema).includes('"$ref"')
    ? (countReferences(schema, true) as object)
    : (schema as object);
  let validate: ValidateFunction;
  try {
    validate = shared.compile(counted);
  } finally {
    // The cache would hold every schema that ever was installed.
    if (typeof counted === 'object') shared.removeSchema(counted);
  }
  return counted === schema ? validate : withinBudget(validate);
}

/** Says whether a value fits; afterwards `errors` tells why not. */
export interface Validate {
  (value: unknown): boolean;
  errors?: readonly ErrorObject[] | null;
}

/** References that one validation follows. Recursive schemas can make the work double with each level of the value. */
const MAX_STEPS = 50_000;
const STEP = 'x-goflow-step';
let stepsLeft = 0;

class OutOfSteps extends Error {}

const stepKeyword: FuncKeywordDefinition = {
  keyword: STEP,
  schemaType: 'boolean',
  before: '$ref',
  errors: false,
  validate: () => {
    stepsLeft -= 1;
    if (stepsLeft < 0) throw new OutOfSteps();
    return true;
  },
};

/** A copy in which each reference stands beside a keyword that counts. */
function countReferences(value: unknown, inSchema: boolean): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => countReferences(item, inSchema));
  const entries = Object.entries(value).map(([key, member]) => {
    if (!inSchema) return [key, countReferences(member, true)] as const;
    return [key, HOLDS_VALUES.has(key) ? (member as unknown) : countReferences(member, !HOLDS_NAMES.has(key))] as const;
  });
  if (inSchema && Object.hasOwn(value, '$ref')) entries.push([STEP, true]);
  return Object.fromEntries(entries);
}

function withinBudget(validate: ValidateFunction): Validate {
  const bounded: Validate = (value) => {
    stepsLeft = MAX_STEPS;
    try {
      const fits = validate(value);
      bounded.errors = validate.errors ?? null;
      return fits;
    } catch (error) {
      if (!(error instanceof OutOfSteps)) throw error;
      const message = 'is too complex to be checked against its schema';
      bounded.errors = [{ instancePath: '', schemaPath: '#', keyword: '$ref', params: {}, message }];
      return false;
    }
  };
  return bounded;
}

/** What the meta-schema of JSON Schema 2020-12 has against a schema. */
export function metaSchemaErrors(schema: object): readonly ErrorObject[] {
  shared ??= newAjv();
  return shared.validateSchema(schema) === true ? [] : (shared.errors ?? []);
}
