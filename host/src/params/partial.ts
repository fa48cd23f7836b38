import type { ErrorObject } from 'ajv';
import { COMBINING, branchErrors } from './explain.ts';
import { isWithin } from './pointer.ts';

/** `whole`: a string that is exactly one placeholder, which becomes a value of any type; `text`: one with placeholders inside. */
export type PlaceholderKind = 'whole' | 'text';

/** Rules about an object or array that hold whatever its members will be. */
const STRUCTURAL = new Set([
  'required',
  'dependentRequired',
  'additionalProperties',
  'unevaluatedProperties',
  'false schema',
  'propertyNames',
  'type',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
]);

/** Of the errors that a value with unrendered placeholders has, those that it will have whatever the placeholders become. */
export function certainErrors(
  errors: readonly ErrorObject[],
  placeholders: ReadonlyMap<string, PlaceholderKind>,
): readonly ErrorObject[] {
  if (placeholders.size === 0) return errors;
  const wholes = [...placeholders].filter(([, kind]) => kind === 'whole').map(([pointer]) => pointer);
  const touched = (path: string): boolean => [...placeholders.keys()].some((pointer) => isWithin(pointer, path));

  function settle(among: readonly ErrorObject[]): readonly ErrorObject[] {
    const dropped = new Set<ErrorObject>();
    // Combining keywords come after the errors of their branches, so the outermost is met first.
    for (const error of among.toReversed()) {
      if (dropped.has(error)) continue;
      if (!isCertain(error, among)) {
        dropped.add(error);
        for (const part of partsOf(error, among)) dropped.add(part);
      }
    }
    return among.filter((error) => !dropped.has(error));
  }

  function isCertain(error: ErrorObject, among: readonly ErrorObject[]): boolean {
    const path = error.instancePath;
    if (wholes.some((whole) => isWithin(path, whole))) return false;
    if (placeholders.get(path) === 'text') return error.keyword === 'type';
    if (!touched(path)) return true;
    if (error.keyword === 'anyOf' || (error.keyword === 'oneOf' && error.params['passingSchemas'] === null)) {
      const branches = branchErrors(error, among);
      return branches.length > 0 && branches.every((branch) => settle(branch).length > 0);
    }
    return STRUCTURAL.has(error.keyword);
  }

  return settle(errors);
}

/** The errors that stand or fall with a combining or conditional one. */
function partsOf(error: ErrorObject, among: readonly ErrorObject[]): readonly ErrorObject[] {
  if (error.keyword !== 'if' && !COMBINING.has(error.keyword)) return [];
  const parent = error.schemaPath.slice(0, error.schemaPath.lastIndexOf('/'));
  const prefixes = error.keyword === 'if' ? [`${parent}/then/`, `${parent}/else/`] : [`${error.schemaPath}/`];
  // An error behind a `$ref` names the referenced schema: it might belong to a branch, so it is in doubt as well.
  return among.filter(
    (other) =>
      other !== error &&
      isWithin(other.instancePath, error.instancePath) &&
      (prefixes.some((prefix) => other.schemaPath.startsWith(prefix)) || other.schemaPath.startsWith('#/$defs/')),
  );
}
