import type { JsonSchema, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Ajv2020, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { newAjv } from './ajv.ts';
import { PatternBudgetExceeded } from './pattern.ts';

/** Values of at most this many parts get all their errors; larger ones the first, as the errors would take more memory than the value. */
const ALL_ERRORS_UP_TO = 2000;

/** Checks a value; an empty list when it fits. */
export type ValueCheck = (value: JsonValue) => readonly ErrorObject[];

/** Compiles schemas that belong together. A value that fits is told in one pass that stops at nothing; one that does not is gone through again. */
export class SchemaSet {
  readonly #strict: boolean;
  readonly #fast: Ajv2020;
  #thorough: Ajv2020 | undefined;

  constructor(strict: boolean) {
    this.#strict = strict;
    this.#fast = newAjv({ allErrors: false, strict });
  }

  /** Throws what ajv throws on a schema that it cannot compile. */
  compile(schema: JsonSchema): ValueCheck {
    const fast = this.#fast.compile(schema);
    let thorough: ValidateFunction | undefined;
    return (value) => {
      const first = run(fast, value);
      if (first.length === 0 || isTooLong(first) || !isSmall(value)) return first;
      this.#thorough ??= newAjv({ allErrors: true, strict: this.#strict });
      thorough ??= this.#thorough.compile(schema);
      const all = run(thorough, value);
      return all.length === 0 || isTooLong(all) ? first : all;
    };
  }
}

function run(validate: ValidateFunction, value: JsonValue): readonly ErrorObject[] {
  try {
    if (validate(value)) return [];
    const errors = validate.errors ?? [];
    validate.errors = null;
    return errors;
  } catch (error) {
    if (!(error instanceof PatternBudgetExceeded)) throw error;
    return [
      {
        keyword: 'pattern',
        instancePath: '',
        schemaPath: TOO_LONG,
        params: { pattern: 'of its schema: the text is too long for it' },
      },
    ];
  }
}

const TOO_LONG = '#/pattern-budget';

function isTooLong(errors: readonly ErrorObject[]): boolean {
  return errors[0]?.schemaPath === TOO_LONG;
}

function isSmall(value: JsonValue): boolean {
  let left = ALL_ERRORS_UP_TO;
  const count = (part: unknown): boolean => {
    left -= 1;
    if (left < 0) return false;
    return typeof part !== 'object' || part === null || Object.values(part).every(count);
  };
  return count(value);
}
