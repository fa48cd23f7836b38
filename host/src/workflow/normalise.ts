import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Problem } from '../core/errors.ts';
import { compileSchema } from '../params/schema-validator.ts';
import {
  DEFAULT_EXECUTION_TIMEOUT,
  SINGLE_STEP_ID,
  WORKFLOW_SCHEMA,
  type OnMissing,
  type RetryPolicy,
  type StepDefinition,
  type WorkflowDefinition,
} from './definition.ts';
import { fromOriginal, isOriginalShape } from './original.ts';

export interface Normalised {
  readonly definition: WorkflowDefinition;
  readonly problems: readonly Problem[];
  /** Where a step stands in the body, for pointers of problems. */
  readonly pointerOf: (step: StepDefinition) => string;
}

/** Brings a body of either shape into the stored one. With problems, the definition is only good for finding more of them. */
export function normalise(body: JsonObject): Normalised {
  if (isOriginalShape(body)) {
    const { definition, problems } = fromOriginal(body);
    return { definition, problems, pointerOf: originalPointer };
  }
  const problems = [...compileSchema(WORKFLOW_SCHEMA, 'request')(body, '')];
  if (body['action'] !== undefined && body['steps'] !== undefined) {
    problems.push({
      pointer: '/steps',
      message: 'a workflow has either "action" and "config" or "steps", not both',
      keyword: 'oneOf',
    });
  }
  if (body['action'] === undefined) {
    for (const field of ['config', 'credential']) {
      if (body[field] !== undefined)
        problems.push({
          pointer: `/${field}`,
          message: `"${field}" needs an "action" that it is for`,
          keyword: 'dependentRequired',
        });
    }
  }
  return {
    definition: fromBody(body),
    problems,
    pointerOf: (step) => (step.id === SINGLE_STEP_ID && body['steps'] === undefined ? '' : stepPointer(body, step)),
  };
}

function stepPointer(body: JsonObject, step: StepDefinition): string {
  const steps = body['steps'] as readonly JsonObject[];
  return `/steps/${steps.findIndex((item) => item['id'] === step.id && (item['action'] ?? '') === step.action)}`;
}

/** Pointer of a step of the original's shape; its configuration is `config_json` or the chained action's `config`. */
function originalPointer(step: StepDefinition): string {
  return step.id === SINGLE_STEP_ID ? '' : `/action_chain/${Number(step.id.slice('chain_'.length)) - 1}`;
}

function fromBody(body: JsonObject): WorkflowDefinition {
  const retry = body['retry'] as RetryPolicy | undefined;
  const description = body['description'];
  return {
    name: textOf(body['name']),
    ...(typeof description === 'string' ? { description } : {}),
    parameters: Array.isArray(body['parameters']) ? (body['parameters'] as readonly JsonValue[]) : [],
    form: body['steps'] !== undefined ? 'steps' : body['action'] !== undefined ? 'action' : 'empty',
    steps: stepsOf(body),
    execution_timeout:
      typeof body['execution_timeout'] === 'number' ? body['execution_timeout'] : DEFAULT_EXECUTION_TIMEOUT,
    ...(retry === undefined ? {} : { retry }),
    on_missing: (body['on_missing'] as OnMissing | undefined) ?? 'error',
  };
}

function stepsOf(body: JsonObject): readonly StepDefinition[] {
  const steps = body['steps'];
  if (Array.isArray(steps)) {
    return (steps as readonly JsonValue[]).filter(isObject).map((step) => ({
      ...(step as unknown as StepDefinition),
      id: textOf(step['id']),
      action: textOf(step['action']),
      config: isObject(step['config']) ? step['config'] : {},
    }));
  }
  if (typeof body['action'] !== 'string') return [];
  return [
    {
      id: SINGLE_STEP_ID,
      action: body['action'],
      config: isObject(body['config']) ? body['config'] : {},
      ...(typeof body['credential'] === 'string' ? { credential: body['credential'] } : {}),
    },
  ];
}

/** What is no text was told as a problem by the shape check. */
function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
