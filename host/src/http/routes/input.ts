import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import { validationError } from '../../core/errors.ts';
import type { Problem } from '../../core/errors.ts';

/** Checks of small bodies by hand: they are read on the hot path and have two members. */

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The body as an object with no other members than `known`; throws VALIDATION_FAILED with every problem. */
export function objectBody(body: JsonValue | undefined, known: readonly string[]): JsonObject {
  if (!isObject(body))
    throw validationError([{ pointer: '', keyword: 'type', message: 'must be a JSON object' }], 'the body');
  const problems: Problem[] = [];
  for (const key of Object.keys(body)) {
    if (!known.includes(key) && problems.length < 20) {
      const message = `is not a member of this body; it knows ${known.map((name) => `"${name}"`).join(', ')}`;
      problems.push({ pointer: `/${escapePointer(key.slice(0, 200))}`, keyword: 'additionalProperties', message });
    }
  }
  if (problems.length > 0) throw validationError(problems, 'the body');
  return body;
}

/** The `parameters` member of a trigger or dry run; none counts as `{}`. */
export function parametersOf(body: JsonObject): JsonObject {
  const value = Object.hasOwn(body, 'parameters') ? body['parameters'] : undefined;
  if (value === undefined) return {};
  if (!isObject(value))
    throw validationError(
      [{ pointer: '/parameters', keyword: 'type', message: 'must be an object of names and values' }],
      'the body',
    );
  return value;
}

export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
