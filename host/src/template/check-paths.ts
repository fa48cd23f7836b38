import type { JsonObject, JsonSchema, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Problem } from '../core/errors.ts';
import { type ParameterDeclaration, valueSchema } from '../params/declaration.ts';
import { type Path, ROOTS, isIndex } from './path.ts';
import type { Template } from './types.ts';

/** What a template can name where it stands. */
export interface Scope {
  readonly parameters: readonly ParameterDeclaration[];
  /** Ids of the steps before this one. */
  readonly stepIds: readonly string[];
  /** Ids of this step and those after it, for telling why they cannot be named. */
  readonly laterStepIds?: readonly string[];
  /** Output schemas of earlier steps, where their actions give one. */
  readonly outputs?: ReadonlyMap<string, JsonSchema | undefined>;
}

/** Members of the roots that hold neither parameters nor steps, and whether anything may stand below them. */
const MEMBERS: Readonly<Record<string, Readonly<Record<string, 'plain' | 'nested'>>>> = {
  trigger: { type: 'plain', body: 'nested', headers: 'nested', query: 'nested' },
  workflow: { id: 'plain', name: 'plain', version: 'plain' },
  run: { id: 'plain', attempt: 'plain', created_at: 'plain', trace_id: 'plain' },
  tenant: { id: 'plain' },
};

/** The placeholders whose paths cannot exist, whatever a run brings. Not for the original's shape, where they stay as they are. */
export function checkPaths(template: Template, scope: Scope): readonly Problem[] {
  const problems: Problem[] = [];
  for (const { pointer, path } of template.paths) {
    const fault = faultOf(path, scope);
    if (fault !== null)
      problems.push({ pointer, message: `{{${path.join('.')}}} cannot exist: ${fault}`, keyword: 'template' });
  }
  return problems;
}

function faultOf(path: Path, scope: Scope): string | null {
  const [root, ...rest] = path as [string, ...string[]];
  if (root === 'params') return paramFault(rest, scope);
  if (root === 'steps') return stepFault(rest, scope);
  const members = Object.hasOwn(MEMBERS, root) ? MEMBERS[root] : undefined;
  if (members === undefined) return `a path begins with one of ${ROOTS.join(', ')}`;
  const [member, ...below] = rest;
  if (member === undefined || !Object.hasOwn(members, member))
    return `"${root}" has the members ${Object.keys(members).join(', ')}`;
  if (members[member] === 'plain' && below.length > 0) return `"${root}.${member}" has no members`;
  return null;
}

function paramFault(rest: Path, scope: Scope): string | null {
  const [name, ...below] = rest;
  if (name === undefined) return null;
  const declaration = scope.parameters.find((one) => one.name === name);
  if (declaration === undefined) {
    const known = scope.parameters.map((one) => one.name);
    return known.length === 0
      ? 'the workflow declares no parameters'
      : `the workflow declares no parameter "${name}"; it has ${known.slice(0, 20).join(', ')}`;
  }
  return schemaFault(valueSchema(declaration), below, `params.${name}`);
}

function stepFault(rest: Path, scope: Scope): string | null {
  const [id, member, ...below] = rest;
  if (id === undefined) return 'name a step: steps.ID.output or steps.ID.status';
  if (!scope.stepIds.includes(id)) {
    if (scope.laterStepIds?.includes(id) === true) return `the step "${id}" does not run before this one`;
    return scope.stepIds.length === 0
      ? 'no step runs before this one'
      : `there is no step "${id}"; before this one run ${scope.stepIds.slice(0, 20).join(', ')}`;
  }
  if (member !== 'output' && member !== 'status') return 'a step has the members output, status';
  if (member === 'status') return below.length > 0 ? `"steps.${id}.status" has no members` : null;
  return schemaFault(scope.outputs?.get(id), below, `steps.${id}.output`);
}

/** Follows a path through a schema as far as the schema is plain; what it leaves open may exist. */
function schemaFault(schema: JsonSchema | undefined, path: Path, at: string): string | null {
  const [key, ...rest] = path;
  if (key === undefined || !isSchema(schema) || typeof schema['type'] !== 'string') return null;
  if (schema['type'] === 'object') return memberFault(schema, key, rest, at);
  if (schema['type'] !== 'array') return `"${at}" is of type ${schema['type']} and has no members`;
  if (!isIndex(key)) return `"${at}" is an array: it takes an index, such as ${at}[0]`;
  const most = schema['maxItems'];
  if (typeof most === 'number' && Number(key) >= most) return `"${at}" has at most ${most} items, counted from 0`;
  const first = schema['prefixItems'];
  if (Array.isArray(first)) return schemaFault(first[Number(key)] as JsonSchema | undefined, rest, `${at}[${key}]`);
  return schemaFault(schema['items'] as JsonSchema | undefined, rest, `${at}[${key}]`);
}

function memberFault(schema: JsonObject, key: string, rest: Path, at: string): string | null {
  const properties = isSchema(schema['properties']) ? schema['properties'] : {};
  if (Object.hasOwn(properties, key)) return schemaFault(properties[key] as JsonSchema, rest, `${at}.${key}`);
  const open =
    schema['additionalProperties'] !== false ||
    schema['patternProperties'] !== undefined ||
    COMBINING.some((keyword) => schema[keyword] !== undefined);
  if (open) return null;
  const names = Object.keys(properties);
  return names.length === 0 ? `"${at}" has no members` : `"${at}" has the members ${names.slice(0, 20).join(', ')}`;
}

const COMBINING = ['$ref', 'allOf', 'anyOf', 'oneOf'];

function isSchema(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
