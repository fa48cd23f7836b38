import type { JsonSchema, JsonValue } from '@goflow/plugin-sdk/contract';
import type { ErrorObject, Options } from 'ajv';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { FORMATS } from './formats.ts';
import { re2Engine } from './pattern.ts';
import { firstDuplicate } from './unique-items.ts';

const OPTIONS: Options = {
  ownProperties: true,
  // Schemas are checked by our own rules before they come here; Ajv's meta schemas take 30 ms to load.
  meta: false,
  validateSchema: false,
  addUsedSchema: false,
  multipleOfPrecision: 6,
  messages: false,
  logger: false,
  formats: { ...FORMATS },
};

/**
 * An ajv with our patterns, formats and `uniqueItems`. Make one for each set of schemas: an instance keeps all that it ever compiled.
 * `strict`: throw on what is unknown; else it is ignored, as JSON Schema says.
 */
export function newAjv(options: { readonly allErrors: boolean; readonly strict: boolean }): Ajv2020 {
  const strictness: Options = options.strict
    ? { strict: true, strictTypes: false, strictTuples: false, strictRequired: false }
    : { strict: false };
  const ajv = new Ajv2020({
    ...OPTIONS,
    ...strictness,
    allErrors: options.allErrors,
    code: { regExp: re2Engine(options.strict) as never },
  });
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({ keyword: 'uniqueItems', type: 'array', schemaType: 'boolean', compile: uniqueItems });
  return ajv;
}

function uniqueItems(wanted: boolean) {
  const validate = (items: readonly JsonValue[]): boolean => {
    const twins = wanted ? firstDuplicate(items) : null;
    if (twins === null) return true;
    validate.errors = [{ keyword: 'uniqueItems', params: { i: twins[0], j: twins[1] } }];
    return false;
  };
  validate.errors = [] as Partial<ErrorObject>[];
  return validate;
}

export type { ErrorObject, JsonSchema, ValidateFunction };
