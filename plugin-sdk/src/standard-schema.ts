import type { ConnectorContext } from './contract/context.ts';
import { ConnectorError } from './connector-error.ts';
import type { Infer, Schema } from './schema.ts';

/**
 * A schema of a library that speaks Standard JSON Schema (https://standardschema.dev): zod 4, valibot with `@valibot/to-json-schema`,
 * ArkType. The manifest holds the JSON Schema 2020-12 that the library makes of it; where the library also validates, `run` gets
 * what it parsed, with defaults filled in and transformations done.
 */
export interface StandardJsonSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    readonly jsonSchema: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
      readonly output: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
    };
    readonly validate?: (value: unknown) => StandardResult | Promise<StandardResult>;
  };
}

type StandardResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

interface StandardIssue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** What `input`, `output` and `credential` take. */
export type AnySchema = Schema | boolean | StandardJsonSchema;

/** The type of a value before the schema's library has parsed it: what somebody has to give. */
export type InferGiven<S> = S extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly input: infer Given }
    ? Given
    : unknown
  : Infer<S>;

/** The type of a value after the schema's library has parsed it: what the code gets. Plain JSON Schema changes no value. */
export type InferParsed<S> = S extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly output: infer Parsed }
    ? Parsed
    : unknown
  : Infer<S>;

interface Runnable {
  readonly input?: unknown;
  readonly output?: unknown;
  run(ctx: ConnectorContext, input: never): unknown;
}

/** An action with plain JSON Schemas, whose `run` passes input and result through the libraries of its schemas. */
export function withPlainSchemas<Action extends Runnable>(action: Action): Action {
  const input = standardOf(action.input);
  const output = standardOf(action.output);
  if (input === null && output === null) return action;
  return {
    ...action,
    ...(input !== null && { input: plain(input, 'input') }),
    ...(output !== null && { output: plain(output, 'output') }),
    async run(ctx: ConnectorContext, given: unknown): Promise<unknown> {
      const value = input === null ? given : await parse(input, given, 'input', 'INPUT_INVALID');
      const result = await action.run(ctx, value as never);
      return output === null ? result : await parse(output, result, 'output', 'RESULT_INVALID');
    },
  };
}

/** A library's schema as plain JSON Schema of what has to be given; anything else as it is. */
export function plainSchema(schema: unknown): unknown {
  const standard = standardOf(schema);
  return standard === null ? schema : plain(standard, 'input');
}

type Standard = StandardJsonSchema['~standard'];

function standardOf(schema: unknown): Standard | null {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return null;
  const standard = (schema as Partial<StandardJsonSchema>)['~standard'];
  if (standard === undefined) return null;
  if (typeof standard.jsonSchema?.input === 'function') return standard;
  throw new TypeError(
    `this version of ${standard.vendor} makes no JSON Schema of its schemas (Standard JSON Schema): zod does from 4.2 on, valibot with toStandardJsonSchema() of @valibot/to-json-schema`,
  );
}

/** Converted when the definition is read, which is when it is built: a call does not pay for it. */
function plain(standard: Standard, side: 'input' | 'output'): { toJSON(): unknown } {
  return {
    toJSON() {
      const { $schema: _dialect, ...schema } = standard.jsonSchema[side]({ target: 'draft-2020-12' });
      return portable(schema, true);
    },
  };
}

async function parse(standard: Standard, value: unknown, at: string, code: string): Promise<unknown> {
  if (standard.validate === undefined) return value;
  const result = await standard.validate(value);
  if (result.issues === undefined) return result.value;
  const problems = result.issues.map(({ message, path = [] }) => {
    const keys = path.map((part) => String(typeof part === 'object' ? part.key : part));
    return `${['', at, ...keys].join('/')} ${message}`;
  });
  throw new ConnectorError(code, `the ${at} does not fit its schema: ${problems.join('; ')}`);
}

const FORMATS = new Set(
  'date time date-time duration uri uri-reference uri-template email hostname ipv4 ipv6 regex uuid json-pointer relative-json-pointer'.split(
    ' ',
  ),
);
const HOLDS_VALUES = new Set(['enum', 'const', 'default', 'examples']);
const HOLDS_NAMES = new Set(['properties', 'patternProperties', '$defs', 'dependentSchemas']);

/**
 * Without what a host does not know: formats of the library's own, and patterns with look-around, which RE2 has not. The library itself
 * still holds values to them.
 */
function portable(value: unknown, isSchema: boolean): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => portable(item, isSchema));
  const kept = Object.entries(value).filter(([key, member]) => {
    if (!isSchema || typeof member !== 'string') return true;
    if (key === 'format') return FORMATS.has(member);
    return key !== 'pattern' || !/\(\?<?[=!]|\\[1-9]|\\k</.test(member);
  });
  return Object.fromEntries(
    kept.map(([key, member]) => [
      key,
      isSchema && HOLDS_VALUES.has(key) ? member : portable(member, !(isSchema && HOLDS_NAMES.has(key))),
    ]),
  );
}
