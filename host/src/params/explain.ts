import type { ErrorObject } from 'ajv';
import type { Problem } from '../core/errors.ts';
import { MAX_PROBLEMS } from './check-schema.ts';
import { childPointer, pointerSegments, valueAt } from './pointer.ts';

/** What the errors are about. */
export interface Subject {
  /** Begins each message: `parameter`, or empty for the fields of an action's input. */
  readonly noun: string;
  /** The parameter's name; null where the value itself is the whole. */
  readonly name: string | null;
  /** Where the value stands in the request. */
  readonly pointer: string;
  readonly value: unknown;
  /** What messages tell of the value: `all`; `paths`, no values; `nothing`, as the names of its members may be secret, too. */
  readonly shown: 'all' | 'paths' | 'nothing';
}

/** Ajv's errors as problems: what is wrong with which value, and what is allowed. */
export function explain(errors: readonly ErrorObject[], subject: Subject): Problem[] {
  const explained = new Set<ErrorObject>();
  const problems: Problem[] = [];
  // A combining keyword comes after the errors of its branches, and tells them itself.
  for (const error of errors.toReversed()) {
    if (explained.has(error)) continue;
    const branches = COMBINING.has(error.keyword) ? branchErrors(error, errors) : [];
    for (const branch of branches.flat()) explained.add(branch);
    problems.push(problemOf(error, branches, subject));
  }
  return problems.toReversed().slice(0, MAX_PROBLEMS);
}

export const COMBINING: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'contains', 'propertyNames']);

/** The errors of each branch of a combining keyword, in the order of the branches. */
export function branchErrors(error: ErrorObject, errors: readonly ErrorObject[]): ErrorObject[][] {
  const branches = new Map<string, ErrorObject[]>();
  for (const other of errors) {
    if (
      other === error ||
      !other.schemaPath.startsWith(`${error.schemaPath}/`) ||
      !other.instancePath.startsWith(error.instancePath)
    )
      continue;
    const branch = other.schemaPath.slice(error.schemaPath.length + 1).split('/', 1)[0] as string;
    const known = branches.get(branch);
    if (known === undefined) branches.set(branch, [other]);
    else known.push(other);
  }
  return [...branches.values()];
}

function problemOf(error: ErrorObject, branches: readonly ErrorObject[][], subject: Subject): Problem {
  const params = error.params as Record<string, unknown>;
  if (subject.shown === 'nothing' && error.instancePath !== '') {
    return {
      pointer: subject.pointer,
      message: `${label('', subject)} does not fit its schema`,
      keyword: error.keyword,
    };
  }
  const below =
    params['missingProperty'] ??
    params['additionalProperty'] ??
    params['unevaluatedProperty'] ??
    params['propertyName'];
  const path =
    typeof below === 'string' && !(subject.shown === 'nothing' && below !== params['missingProperty'])
      ? childPointer(error.instancePath, below)
      : error.instancePath;
  return {
    pointer: subject.pointer + path,
    message: `${label(path, subject)} ${sentence(error, branches, subject)}`,
    keyword: error.keyword === 'false schema' ? 'additionalProperties' : error.keyword,
  };
}

function label(path: string, subject: Subject): string {
  const segments = [...(subject.name === null ? [] : [subject.name]), ...pointerSegments(path)];
  if (segments.length === 0) return `the ${subject.noun}`;
  const dotted = segments
    .map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('');
  return `${subject.name === null ? '' : `${subject.noun} `}"${shorten(dotted, 80)}"`;
}

function sentence(error: ErrorObject, branches: readonly ErrorObject[][], subject: Subject): string {
  const params = error.params as Record<string, unknown>;
  const got = subject.shown === 'all' ? `; got ${describe(valueAt(subject.value, error.instancePath))}` : '';
  switch (error.keyword) {
    case 'required':
    case 'dependentRequired':
      return 'is missing';
    case 'additionalProperties':
    case 'unevaluatedProperties':
    case 'false schema':
      return 'is not known here';
    case 'type':
      return `must be ${typeName(params['type'] as string | readonly string[])}${got}`;
    case 'enum':
      return `must be one of ${shorten((params['allowedValues'] as readonly unknown[]).map((value) => JSON.stringify(value)).join(', '), 300)}${got}`;
    case 'const':
      return `must be ${shorten(JSON.stringify(params['allowedValue']), 100)}${got}`;
    case 'minLength':
      return `must have at least ${amount(params['limit'], 'character')}${got}`;
    case 'maxLength':
      return `must have at most ${amount(params['limit'], 'character')}${got}`;
    case 'pattern':
      return `must match the pattern ${shorten(String(params['pattern']), 200)}${got}`;
    case 'format':
      return `must be a valid ${String(params['format'])}${got}`;
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return `must be ${String(params['comparison'])} ${String(params['limit'])}${got}`;
    case 'multipleOf':
      return `must be a multiple of ${String(params['multipleOf'])}${got}`;
    case 'minItems':
      return `must have at least ${amount(params['limit'], 'item')}${got}`;
    case 'maxItems':
      return `must have at most ${amount(params['limit'], 'item')}${got}`;
    case 'minProperties':
      return `must have at least ${amount(params['limit'], 'property', 'properties')}${got}`;
    case 'maxProperties':
      return `must have at most ${amount(params['limit'], 'property', 'properties')}${got}`;
    case 'uniqueItems':
      return `must have different items; items ${String(params['i'])} and ${String(params['j'])} are equal`;
    case 'propertyNames':
      return 'is not an allowed property name';
    case 'contains':
      return `must hold at least ${amount(params['minContains'] ?? 1, 'item')} of the wanted kind${got}`;
    case 'oneOf':
      if (params['passingSchemas'] !== null) return 'must fit exactly one of the allowed forms, but fits several';
      return alternatives(branches, subject);
    case 'anyOf':
      return alternatives(branches, subject);
    case 'not':
      return `has a value that is excluded${got}`;
    case 'if':
      return 'does not fit the rules for this case';
    default:
      return `does not fit "${error.keyword}" of its schema`;
  }
}

function alternatives(branches: readonly ErrorObject[][], subject: Subject): string {
  const missing = branches.map((errors) =>
    errors.length === 1 && errors[0]?.keyword === 'required' ? (errors[0].params['missingProperty'] as string) : null,
  );
  if (missing.length > 0 && missing.every((name) => name !== null))
    return `needs ${missing.map((name) => `"${name}"`).join(' or ')}`;
  const texts = branches.map((errors) => (errors[0] === undefined ? '' : problemOf(errors[0], [], subject).message));
  return `fits none of the allowed forms: ${shorten([...new Set(texts)].join('; or '), 500)}`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  integer: 'an integer',
  boolean: 'true or false',
  object: 'an object',
  array: 'an array',
  null: 'null',
};

function typeName(type: string | readonly string[]): string {
  return (typeof type === 'string' ? type.split(',') : type).map((name) => TYPE_NAMES[name] ?? name).join(' or ');
}

function amount(limit: unknown, one: string, many = `${one}s`): string {
  return `${String(limit)} ${limit === 1 ? one : many}`;
}

/** A value as a message shows it: short, and without walking through what is large. */
export function describe(value: unknown): string {
  if (typeof value === 'string')
    return value.length <= 60
      ? JSON.stringify(value)
      : `${JSON.stringify(value.slice(0, 50))}… (${value.length} characters)`;
  if (Array.isArray(value)) return `an array of ${amount(value.length, 'item')}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function shorten(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}…`;
}
