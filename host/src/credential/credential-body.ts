import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import { type Problem, validationError } from '../core/errors.ts';
import { compileSchema } from '../params/schema-validator.ts';
import type { LoadedPlugin } from '../plugin/types.ts';

/** What a request to make a credential means, checked. */
export interface CredentialWanted {
  readonly name: string;
  readonly plugin: string;
  readonly values: JsonObject;
}

/** Largest values, in UTF-16 units of their JSON text. */
const MAX_VALUES_CHARS = 64 * 1024;

/**
 * Reads `{ name, plugin, values }`, or the original's `{ service_name, api_key }`, which names no plugin: its key is kept under the
 * service's name, and belongs to the plugin of that name if there is one. Throws VALIDATION_FAILED with every problem.
 */
export function parseCredentialBody(
  body: JsonValue,
  findPlugin: (name: string) => LoadedPlugin | null,
): CredentialWanted {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw validationError([
      { pointer: '', message: 'must be an object with name, plugin and values', keyword: 'type' },
    ]);
  }
  const fields = body as JsonObject;
  return fields['service_name'] !== undefined && fields['plugin'] === undefined
    ? parseOriginal(fields, findPlugin)
    : parseOwn(fields, findPlugin);
}

function parseOwn(fields: JsonObject, findPlugin: (name: string) => LoadedPlugin | null): CredentialWanted {
  const problems: Problem[] = Object.keys(fields)
    .filter((key) => key !== 'name' && key !== 'plugin' && key !== 'values')
    .map((key) => unknown('', key, 'there are name, plugin, values'));
  const name = textOf(fields, 'name', problems);
  const pluginName = textOf(fields, 'plugin', problems);
  const values = fields['values'];
  if (values === undefined) problems.push({ pointer: '/values', message: 'is missing', keyword: 'required' });
  else if (!isObject(values)) problems.push({ pointer: '/values', message: 'must be an object', keyword: 'type' });
  const plugin = pluginName === null ? null : findPlugin(pluginName);
  if (pluginName !== null && plugin === null) {
    const message = `no plugin "${pluginName}" is installed; see GET /api/plugins`;
    problems.push({ pointer: '/plugin', message, keyword: 'enum' });
  } else if (plugin !== null && plugin.manifest.credential === undefined) {
    const message = `the plugin "${pluginName}" takes no credential`;
    problems.push({ pointer: '/plugin', message, keyword: 'enum' });
  }
  if (plugin !== null && isObject(values)) problems.push(...valueProblems(plugin, values, '/values'));
  if (problems.length > 0) throw validationError(problems);
  return { name: name as string, plugin: pluginName as string, values: values as JsonObject };
}

function parseOriginal(fields: JsonObject, findPlugin: (name: string) => LoadedPlugin | null): CredentialWanted {
  const problems: Problem[] = [];
  const service = textOf(fields, 'service_name', problems);
  const key = fields['api_key'];
  if (key === undefined) problems.push({ pointer: '/api_key', message: 'is missing', keyword: 'required' });
  else if (typeof key !== 'string' || key === '') {
    problems.push({ pointer: '/api_key', message: 'must be a text that is not empty', keyword: 'type' });
  }
  const values = { api_key: key ?? null };
  const plugin = service === null ? null : findPlugin(service);
  if (plugin !== null && problems.length === 0) problems.push(...valueProblems(plugin, values, ''));
  if (problems.length > 0) throw validationError(problems);
  return { name: service as string, plugin: service as string, values };
}

function valueProblems(plugin: LoadedPlugin, values: JsonObject, pointer: string): readonly Problem[] {
  if (JSON.stringify(values).length > MAX_VALUES_CHARS) {
    return [{ pointer, message: `are more than ${MAX_VALUES_CHARS} characters as JSON`, keyword: 'maxLength' }];
  }
  const schema = plugin.manifest.credential;
  if (schema === undefined) return [];
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const strangers = isClosed(schema) ? Object.keys(values).filter((key) => !Object.hasOwn(properties, key)) : [];
  const fields = fieldProblems(properties, values, pointer);
  // The whole is a secret to the checker, which then points to the whole: where a field is to blame, that is said instead.
  const whole = compileSchema(schema, 'credential')(values, pointer).filter(
    (problem) => problem.pointer !== pointer || !fields.some(({ keyword }) => keyword === problem.keyword),
  );
  const known = `the plugin's credential has ${Object.keys(properties).join(', ')}`;
  return [...whole, ...fields, ...strangers.map((key) => unknown(pointer, key, known))];
}

/** What is wrong with each value by itself. Schemas that refer to others of the manifest are left to the check of the whole. */
function fieldProblems(properties: JsonObject, values: JsonObject, pointer: string): readonly Problem[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const schema = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (!isObject(schema) || value === undefined || JSON.stringify(schema).includes('"$ref"')) return [];
    return compileSchema(schema, 'credential')(value, below(pointer, key));
  });
}

/** A schema that says nothing of other members than its `properties` means just these: a misspelt field must not go unnoticed. */
function isClosed(schema: JsonObject): boolean {
  const opening = ['additionalProperties', 'unevaluatedProperties', 'patternProperties', 'propertyNames'];
  const composing = ['allOf', 'anyOf', 'oneOf', 'if', '$ref', '$dynamicRef', 'dependentSchemas'];
  return ![...opening, ...composing].some((keyword) => schema[keyword] !== undefined);
}

function textOf(fields: JsonObject, field: string, problems: Problem[]): string | null {
  const value = fields[field];
  if (typeof value === 'string' && value.trim() !== '' && value.length <= 128 && !/\p{Cc}/u.test(value)) return value;
  problems.push(
    value === undefined
      ? { pointer: `/${field}`, message: 'is missing', keyword: 'required' }
      : { pointer: `/${field}`, message: 'must be a text of 1 to 128 characters', keyword: 'type' },
  );
  return null;
}

function unknown(pointer: string, key: string, known: string): Problem {
  return {
    pointer: below(pointer, key),
    message: `is not a known field; ${known}`,
    keyword: 'additionalProperties',
  };
}

function below(pointer: string, key: string): string {
  return `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
