import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';

export const PARAMETER_TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array'] as const;
export type ParameterType = (typeof PARAMETER_TYPES)[number];

export const PARAMETER_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Most parameters of a workflow. */
export const MAX_PARAMETERS = 256;
/** Longest name of a parameter, in characters. */
export const MAX_NAME_LENGTH = 128;

/** A parameter of a workflow, checked: see docs/API.md, "Parameters". */
export interface ParameterDeclaration {
  readonly name: string;
  readonly type: ParameterType;
  readonly required?: boolean;
  /** Fills in for a missing value; fits the parameter's own schema. */
  readonly default?: JsonValue;
  readonly description?: string;
  /** Its value appears in no answer, log, event or trace. */
  readonly secret?: boolean;
  /** JSON Schema 2020-12 keywords that fit the type. */
  readonly [keyword: string]: JsonValue | undefined;
}

const OWN_FIELDS = new Set(['name', 'required', 'secret', 'default_value']);

/** The JSON Schema of a parameter's value: its declaration without what is GoFlow's own. */
export function valueSchema(declaration: ParameterDeclaration): JsonObject {
  const entries = Object.entries(declaration).filter(([key]) => !OWN_FIELDS.has(key));
  return Object.fromEntries(entries);
}
