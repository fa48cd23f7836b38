import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Problem } from '../core/errors.ts';
import { compileSchema } from '../params/schema-validator.ts';
import {
  DEFAULT_EXECUTION_TIMEOUT,
  SINGLE_STEP_ID,
  WORKFLOW_SCHEMA,
  type OnMissing,
  type RetryPolicy,
  type ScheduleDefinition,
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
  const steps = stepsOf(body);
  return { definition: fromBody(body, [...steps.keys()]), problems, pointerOf: (step) => steps.get(step) ?? '' };
}

/** Pointer of a step of the original's shape; its configuration is `config_json` or the chained action's `config`. */
function originalPointer(step: StepDefinition): string {
  return step.id === SINGLE_STEP_ID ? '' : `/action_chain/${Number(step.id.slice('chain_'.length)) - 1}`;
}

function fromBody(body: JsonObject, steps: readonly StepDefinition[]): WorkflowDefinition {
  const retry = body['retry'] as RetryPolicy | undefined;
  const description = body['description'];
  return {
    name: textOf(body['name']),
    ...(typeof description === 'string' ? { description } : {}),
    parameters: Array.isArray(body['parameters']) ? (body['parameters'] as readonly JsonValue[]) : [],
    form: body['steps'] !== undefined ? 'steps' : body['action'] !== undefined ? 'action' : 'empty',
    steps,
    execution_timeout:
      typeof body['execution_timeout'] === 'number' ? body['execution_timeout'] : DEFAULT_EXECUTION_TIMEOUT,
    ...(retry === undefined ? {} : { retry }),
    on_missing: (body['on_missing'] as OnMissing | undefined) ?? 'error',
    ...scheduleOf(body['schedule']),
  };
}

/** The steps, each with its place in the body. Ids do not tell places: two may be alike, which is a problem of its own. */
/** What is malformed was told as a problem by the shape check. */
function scheduleOf(value: JsonValue | undefined): Pick<WorkflowDefinition, 'schedule'> {
  if (!isObject(value) || typeof value['cron'] !== 'string') return {};
  const { parameters } = value;
  return {
    schedule: {
      cron: value['cron'],
      timezone: typeof value['timezone'] === 'string' ? value['timezone'] : 'UTC',
      catch_up: (value['catch_up'] as ScheduleDefinition['catch_up'] | undefined) ?? 'none',
      ...(isObject(parameters) ? { parameters } : {}),
    },
  };
}

function stepsOf(body: JsonObject): ReadonlyMap<StepDefinition, string> {
  const steps = new Map<StepDefinition, string>();
  const listed = body['steps'];
  if (Array.isArray(listed)) {
    for (const [index, step] of (listed as readonly JsonValue[]).entries()) {
      if (!isObject(step)) continue;
      const definition: StepDefinition = {
        ...(step as unknown as StepDefinition),
        id: textOf(step['id']),
        action: textOf(step['action']),
        config: isObject(step['config']) ? step['config'] : {},
      };
      steps.set(definition, `/steps/${index}`);
    }
  } else if (typeof body['action'] === 'string') {
    const definition: StepDefinition = {
      id: SINGLE_STEP_ID,
      action: body['action'],
      config: isObject(body['config']) ? body['config'] : {},
      ...(typeof body['credential'] === 'string' ? { credential: body['credential'] } : {}),
    };
    steps.set(definition, '');
  }
  return steps;
}

/** What is no text was told as a problem by the shape check. */
function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
