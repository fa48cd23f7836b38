import type { JsonObject, JsonSchema, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Problem } from '../core/errors.ts';
import { MAX_PROBLEMS, isObject } from './check-schema.ts';
import { type ParameterDeclaration, valueSchema } from './declaration.ts';
import { explain } from './explain.ts';
import { refillPatternBudget } from './pattern.ts';
import { childPointer } from './pointer.ts';
import { compilable } from './typed-schema.ts';
import { SchemaSet, type ValueCheck } from './validator.ts';

export { checkDeclarations } from './check-declarations.ts';
export type { ParameterDeclaration } from './declaration.ts';

/** The parameters of one workflow version, ready to check what triggers give. */
export interface CompiledParameters {
  /**
   * Fills in defaults and checks every value; nothing is coerced. `pointer` is where `values` stands in the request.
   * All problems are told, 100 at most; `values` is only to be used when there are none.
   */
  apply(values: JsonValue, pointer?: string): { readonly values: JsonObject; readonly problems: readonly Problem[] };
  readonly secretNames: ReadonlySet<string>;
  /** The JSON Schema of the object of values, for OpenAPI. */
  readonly schema: JsonSchema;
}

/** Takes declarations that `checkDeclarations` found no fault with. Costs about a millisecond a parameter: keep it with the version. */
export function compileParameters(declarations: readonly ParameterDeclaration[]): CompiledParameters {
  const schemas = new SchemaSet(true);
  const checks = new Map(
    declarations.map((declaration) => [declaration.name, schemas.compile(compilable(valueSchema(declaration)))]),
  );
  return {
    apply: (values, pointer = '/parameters') => apply(declarations, checks, values, pointer),
    secretNames: new Set(declarations.filter((one) => one.secret === true).map((one) => one.name)),
    schema: objectSchema(declarations),
  };
}

function apply(
  declarations: readonly ParameterDeclaration[],
  checks: ReadonlyMap<string, ValueCheck>,
  given: JsonValue,
  pointer: string,
): { readonly values: JsonObject; readonly problems: readonly Problem[] } {
  if (!isObject(given))
    return { values: {}, problems: [{ pointer, message: '"parameters" must be an object', keyword: 'type' }] };
  refillPatternBudget();
  const problems: Problem[] = [];
  const entries: Array<[string, JsonValue]> = [];
  for (const declaration of declarations) {
    const { name } = declaration;
    const at = childPointer(pointer, name);
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined) {
      if (declaration.default !== undefined) entries.push([name, declaration.default]);
      else if (declaration.required === true)
        problems.push({ pointer: at, message: `parameter "${name}" is missing`, keyword: 'required' });
      continue;
    }
    const errors = (checks.get(name) as ValueCheck)(value);
    if (errors.length === 0) entries.push([name, value]);
    else
      problems.push(
        ...explain(errors, {
          noun: 'parameter',
          name,
          pointer: at,
          value,
          shown: declaration.secret === true ? 'nothing' : 'all',
        }),
      );
  }
  for (const name of Object.keys(given)) {
    if (checks.has(name)) continue;
    if (problems.length >= MAX_PROBLEMS) break;
    const shown = name.length <= 80 ? name : `${name.slice(0, 80)}…`;
    problems.push({
      pointer: childPointer(pointer, shown),
      message: `the workflow declares no parameter "${shown}"`,
      keyword: 'additionalProperties',
    });
  }
  // Own members whatever they are called, "__proto__" too.
  return { values: Object.fromEntries(entries), problems: problems.slice(0, MAX_PROBLEMS) };
}

function objectSchema(declarations: readonly ParameterDeclaration[]): JsonSchema {
  const required = declarations
    .filter((one) => one.required === true && one.default === undefined)
    .map((one) => one.name);
  const properties = declarations.map((one) => [
    one.name,
    one.secret === true ? { ...valueSchema(one), writeOnly: true } : valueSchema(one),
  ]);
  return {
    type: 'object',
    properties: Object.fromEntries(properties) as JsonObject,
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}

/** The values as they may be shown. */
export function maskSecrets(values: JsonObject, secretNames: ReadonlySet<string>): JsonObject {
  if (secretNames.size === 0) return values;
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, secretNames.has(name) ? '***' : value]),
  );
}
