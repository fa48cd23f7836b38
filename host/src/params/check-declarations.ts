import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Problem } from '../core/errors.ts';
import { SchemaChecker, isObject } from './check-schema.ts';
import { MAX_CHECKS, worstChecks } from './cost.ts';
import {
  MAX_NAME_LENGTH,
  MAX_PARAMETERS,
  PARAMETER_NAME,
  PARAMETER_TYPES,
  type ParameterDeclaration,
  valueSchema,
} from './declaration.ts';
import { explain } from './explain.ts';
import { refillPatternBudget } from './pattern.ts';
import { childPointer } from './pointer.ts';
import { compilable } from './typed-schema.ts';
import { SchemaSet } from './validator.ts';
import { PARAMETER_KEYWORDS } from './vocabulary.ts';

const GOFLOW_FIELDS = ['name', 'type', 'required', 'secret', 'default_value'];

/**
 * Checks a workflow's `parameters` and brings them into the form that the other rooms use (`default_value` becomes `default`).
 * Where there are problems, the declarations are only good for knowing what is declared. `ignoreUnknown`: fields that are not known are left out, as for the original's shape, instead of refused.
 */
export function checkDeclarations(
  value: unknown,
  pointer: string,
  options: { readonly ignoreUnknown?: boolean } = {},
): { readonly declarations: readonly ParameterDeclaration[]; readonly problems: readonly Problem[] } {
  const checker = new SchemaChecker();
  const declarations: ParameterDeclaration[] = [];
  if (value === undefined) return { declarations, problems: [] };
  if (!Array.isArray(value)) checker.add(pointer, 'type', '"parameters" must be an array of declarations');
  else if (value.length > MAX_PARAMETERS) {
    checker.add(pointer, 'maxItems', `a workflow has at most ${MAX_PARAMETERS} parameters, here are ${value.length}`);
  } else {
    const check: Check = {
      checker,
      names: new Set(),
      schemas: new SchemaSet(true),
      ignoreUnknown: options.ignoreUnknown === true,
    };
    for (const [index, item] of value.entries()) {
      const declaration = checkOne(item, childPointer(pointer, index), check);
      if (declaration !== null) declarations.push(declaration);
    }
  }
  return { declarations, problems: checker.problems };
}

interface Check {
  readonly checker: SchemaChecker;
  readonly names: Set<string>;
  readonly schemas: SchemaSet;
  readonly ignoreUnknown: boolean;
}

function checkOne(item: unknown, pointer: string, check: Check): ParameterDeclaration | null {
  const { checker } = check;
  if (!isObject(item)) {
    checker.add(pointer, 'type', 'a parameter must be an object with "name" and "type"');
    return null;
  }
  for (const field of check.ignoreUnknown ? [] : Object.keys(item)) {
    if (PARAMETER_KEYWORDS.has(field) || GOFLOW_FIELDS.includes(field)) continue;
    checker.add(childPointer(pointer, field), 'additionalProperties', `"${field}" is not a field of a parameter`);
  }
  const before = checker.problems.length;
  checkName(item['name'], childPointer(pointer, 'name'), checker, check.names);
  checkFlag(item, 'required', pointer, checker);
  checkFlag(item, 'secret', pointer, checker);
  if (Object.hasOwn(item, 'default') && Object.hasOwn(item, 'default_value')) {
    checker.add(
      childPointer(pointer, 'default_value'),
      'default',
      '"default_value" is another name of "default": give one of them',
    );
  }
  const type = item['type'];
  const types: readonly unknown[] = PARAMETER_TYPES;
  const hasType = types.includes(type);
  if (!hasType) {
    checker.add(
      childPointer(pointer, 'type'),
      type === undefined ? 'required' : 'enum',
      `"type" must be one of ${PARAMETER_TYPES.join(', ')}`,
    );
  }
  checker.keywords(item, pointer, PARAMETER_KEYWORDS, hasType ? new Set([type as string]) : null, 0);
  // A faulty parameter is still declared: templates that name it are not at fault.
  const declared = typeof item['name'] === 'string' ? ({ name: item['name'], type: 'object' } as const) : null;
  if (checker.problems.length > before || checker.gaveUp) return declared;
  const declaration = normalise(item);
  checkValues(declaration, item, pointer, checker, check.schemas);
  return checker.problems.length > before ? declared : declaration;
}

function checkName(name: JsonValue | undefined, pointer: string, checker: SchemaChecker, names: Set<string>): void {
  if (typeof name !== 'string')
    return checker.add(pointer, name === undefined ? 'required' : 'type', 'a parameter needs a "name", a string');
  if (!PARAMETER_NAME.test(name))
    return checker.add(
      pointer,
      'pattern',
      'a parameter\'s name has letters, digits and "_", and does not begin with a digit',
    );
  if (name.length > MAX_NAME_LENGTH)
    return checker.add(pointer, 'maxLength', `a parameter's name has at most ${MAX_NAME_LENGTH} characters`);
  if (names.has(name)) checker.add(pointer, 'uniqueItems', `there are two parameters called "${name}"`);
  names.add(name);
}

function checkFlag(item: JsonObject, field: string, pointer: string, checker: SchemaChecker): void {
  const value = item[field];
  if (value !== undefined && typeof value !== 'boolean')
    checker.add(childPointer(pointer, field), 'type', `"${field}" must be true or false`);
}

/** Leaves out what is unknown. */
function normalise(item: JsonObject): ParameterDeclaration {
  const fields = Object.entries(item).filter(
    ([key]) => key !== 'default_value' && (PARAMETER_KEYWORDS.has(key) || GOFLOW_FIELDS.includes(key)),
  );
  if (Object.hasOwn(item, 'default_value')) fields.push(['default', item['default_value']]);
  return Object.fromEntries(fields) as unknown as ParameterDeclaration;
}

/** The schema compiles, is cheap enough, and the values that the declaration itself gives fit it. */
function checkValues(
  declaration: ParameterDeclaration,
  item: JsonObject,
  pointer: string,
  checker: SchemaChecker,
  schemas: SchemaSet,
): void {
  const { default: preset, enum: allowed, ...rest } = declaration;
  if (worstChecks(valueSchema(declaration)) > MAX_CHECKS) {
    return checker.add(
      pointer,
      'maxCost',
      'a large value could take over a second to check: simplify the schema, or add "maxItems" or "maxProperties"',
    );
  }
  try {
    refillPatternBudget();
    const fits = schemas.compile(compilable(valueSchema(rest as ParameterDeclaration)));
    const shown = declaration.secret === true ? ('nothing' as const) : ('all' as const);
    const about = (value: JsonValue, at: string) => ({
      noun: 'the value',
      name: null,
      pointer: childPointer(pointer, at),
      value,
      shown,
    });
    for (const [index, value] of (Array.isArray(allowed) ? (allowed as readonly JsonValue[]) : []).entries()) {
      const problem = explain(fits(value), about(value, 'enum'))[0];
      if (problem !== undefined)
        checker.add(
          childPointer(childPointer(pointer, 'enum'), index),
          'enum',
          `this value can never be given: it ${predicate(problem.message)}`,
        );
    }
    if (preset === undefined) return;
    if (declaration.secret === true) {
      const message = 'a secret has no default: everybody who may read the workflow would see it';
      const field = Object.hasOwn(item, 'default_value') ? 'default_value' : 'default';
      return checker.add(childPointer(pointer, field), 'secret', message);
    }
    const whole = allowed === undefined ? fits : schemas.compile(compilable(valueSchema(declaration)));
    const field = Object.hasOwn(item, 'default_value') ? 'default_value' : 'default';
    for (const problem of explain(whole(preset), about(preset, field))) {
      checker.add(
        problem.pointer,
        problem.keyword,
        `the default of "${declaration.name}" does not fit: it ${predicate(problem.message)}`,
      );
    }
  } catch (error) {
    checker.add(
      pointer,
      'schema',
      `the schema cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function predicate(message: string): string {
  return message.replace(/^the the value /, '');
}
