import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { WorkflowRecord } from '../../core/records.ts';
import { ref } from './schemas.ts';

/** Members of a parameter that are not JSON Schema. */
const NOT_SCHEMA = new Set(['name', 'required', 'secret', 'default_value']);

/** The JSON Schema of a workflow's parameters, from its normalised definition. */
export function parametersSchema(workflow: WorkflowRecord): JsonObject {
  const properties: Record<string, JsonValue> = {};
  const required: string[] = [];
  for (const parameter of declaredParameters(workflow)) {
    const name = parameter['name'];
    if (typeof name !== 'string') continue;
    const schema: Record<string, JsonValue> = {};
    for (const [key, value] of Object.entries(parameter)) {
      if (value !== undefined && value !== null && !NOT_SCHEMA.has(key)) schema[key] = value;
    }
    if (parameter['secret'] === true) schema['writeOnly'] = true;
    Object.defineProperty(properties, name, { value: schema, enumerable: true, configurable: true, writable: true });
    if (parameter['required'] === true && !Object.hasOwn(schema, 'default')) required.push(name);
  }
  return {
    type: 'object',
    properties,
    additionalProperties: false,
    ...(required.length > 0 ? { required } : undefined),
  };
}

/** The parameters of a normalised definition. */
export function declaredParameters(workflow: WorkflowRecord): readonly JsonObject[] {
  const declared = workflow.definition['parameters'];
  return Array.isArray(declared)
    ? (declared.filter((one) => typeof one === 'object' && one !== null) as JsonObject[])
    : [];
}

/** The trigger operation of one workflow, with its parameters typed. */
export function workflowOperation(
  workflow: WorkflowRecord,
  problems: JsonObject,
  query: readonly JsonObject[],
): JsonObject {
  const parameters = parametersSchema(workflow);
  const required = Array.isArray(parameters['required']);
  return {
    operationId: `trigger_${workflow.id}`,
    tags: ['Your workflows'],
    summary: workflow.name,
    description: `Runs the workflow \`${workflow.id}\`, version ${workflow.version}${workflow.is_active ? '' : ' (not active: answers 409)'}.`,
    parameters: query,
    requestBody: {
      required,
      content: {
        'application/json': {
          schema: {
            type: 'object',
            properties: { parameters },
            additionalProperties: false,
            ...(required ? { required: ['parameters'] } : undefined),
          },
        },
      },
    },
    responses: {
      '200': {
        description: 'The run has ended within the time that was waited for.',
        content: { 'application/json': { schema: ref('Run') } },
      },
      '202': { description: 'The run is accepted.', content: { 'application/json': { schema: ref('Accepted') } } },
      ...problems,
    },
  };
}
