import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';
import type { Problem } from '../core/errors.ts';
import {
  DEFAULT_EXECUTION_TIMEOUT,
  MAX_EXECUTION_TIMEOUT,
  SINGLE_STEP_ID,
  type StepDefinition,
  type WorkflowDefinition,
} from './definition.ts';

/**
 * The shape that workflows had in the first GoFlow: `trigger_type`, `action_type`, `config_json` (an object, or its JSON text), `action_chain`,
 * `parameters`. It means what it meant there: a bare path of the first action reads the webhook's body, one of a chained action with
 * `"use_data_from": "previous"` what the action before it gave, one of any other chained action nothing; what is missing stays as it is written; a chain goes on when one of its actions fails; unknown fields are ignored.
 */
const ORIGINAL_FIELDS = ['trigger_type', 'action_type', 'config_json', 'action_chain'] as const;
const TRIGGER_TYPES = ['webhook', 'schedule', 'manual', 'api'];

export function isOriginalShape(body: JsonObject): boolean {
  return ORIGINAL_FIELDS.some((field) => Object.hasOwn(body, field));
}

export function fromOriginal(body: JsonObject): {
  readonly definition: WorkflowDefinition;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const name = body['name'];
  if (typeof name !== 'string' || name === '' || name.length > 200) {
    problems.push({
      pointer: '/name',
      message: 'name must be a text of 1 to 200 characters',
      keyword: name === undefined ? 'required' : 'type',
    });
  }
  const triggerType = body['trigger_type'];
  if (triggerType !== undefined && !TRIGGER_TYPES.includes(triggerType as string)) {
    problems.push({
      pointer: '/trigger_type',
      message: `trigger_type must be one of ${TRIGGER_TYPES.join(', ')}`,
      keyword: 'enum',
    });
  }
  const steps: StepDefinition[] = [];
  const config = readConfig(body['config_json'], '/config_json', problems);
  const actionType = body['action_type'];
  if (typeof actionType === 'string' && actionType !== '') {
    steps.push({ id: SINGLE_STEP_ID, action: actionType, config, bare_paths: 'trigger' });
  } else if (actionType !== undefined) {
    problems.push({ pointer: '/action_type', message: 'action_type must be the name of an action', keyword: 'type' });
  }
  steps.push(...readChain(body['action_chain'], problems));
  if (steps[0]?.id !== SINGLE_STEP_ID && steps.length > 0) {
    problems.push({
      pointer: '/action_type',
      message: 'an action_chain needs an action_type that comes first',
      keyword: 'required',
    });
  }
  const parameters = readParameters(body['parameters'], problems);
  const timeout = body['execution_timeout'];
  const timeoutFits = typeof timeout === 'number' && timeout > 0 && timeout <= MAX_EXECUTION_TIMEOUT;
  if (timeout !== undefined && !timeoutFits) {
    problems.push({
      pointer: '/execution_timeout',
      message: `execution_timeout must be above 0 and at most ${MAX_EXECUTION_TIMEOUT} seconds`,
      keyword: 'maximum',
    });
  }
  const original: Record<string, JsonValue> = {};
  for (const field of ORIGINAL_FIELDS) if (body[field] !== undefined) original[field] = body[field] as JsonValue;
  const definition: WorkflowDefinition = {
    name: typeof name === 'string' ? name : '',
    ...(typeof body['description'] === 'string' ? { description: body['description'] } : {}),
    parameters,
    form: 'original',
    steps,
    execution_timeout: timeoutFits ? timeout : DEFAULT_EXECUTION_TIMEOUT,
    on_missing: 'keep',
    original,
  };
  return { definition, problems };
}

function readConfig(value: JsonValue | undefined, pointer: string, problems: Problem[]): JsonObject {
  let config = value;
  if (typeof config === 'string') {
    if (config.trim() === '') return {};
    try {
      config = JSON.parse(config) as JsonValue;
    } catch (error) {
      problems.push({ pointer, message: `config_json is not JSON: ${(error as Error).message}`, keyword: 'json' });
      return {};
    }
  }
  if (config === undefined || config === null) return {};
  if (!isObject(config)) {
    problems.push({ pointer, message: 'must be an object, or the JSON text of one', keyword: 'type' });
    return {};
  }
  return config;
}

function readChain(value: JsonValue | undefined, problems: Problem[]): StepDefinition[] {
  let chain = value;
  if (typeof chain === 'string') {
    if (chain.trim() === '') return [];
    try {
      chain = JSON.parse(chain) as JsonValue;
    } catch (error) {
      problems.push({
        pointer: '/action_chain',
        message: `action_chain is not JSON: ${(error as Error).message}`,
        keyword: 'json',
      });
      return [];
    }
  }
  if (chain === undefined || chain === null) return [];
  if (!Array.isArray(chain)) {
    problems.push({
      pointer: '/action_chain',
      message: 'action_chain must be a list of { action_type, config, use_data_from? }',
      keyword: 'type',
    });
    return [];
  }
  const steps: StepDefinition[] = [];
  (chain as readonly JsonValue[]).forEach((item, index) => {
    const pointer = `/action_chain/${index}`;
    if (!isObject(item) || typeof item['action_type'] !== 'string') {
      problems.push({
        pointer: `${pointer}/action_type`,
        message: 'each chained action needs an action_type',
        keyword: 'required',
      });
      return;
    }
    steps.push({
      id: `chain_${index + 1}`,
      action: item['action_type'],
      config: readConfig(item['config'], `${pointer}/config`, problems),
      ...(item['use_data_from'] === 'previous' ? { bare_paths: 'previous' as const } : {}),
    });
  });
  return steps;
}

/** In the database of the original the list was JSON text. */
function readParameters(value: JsonValue | undefined, problems: Problem[]): readonly JsonValue[] {
  let parameters = value;
  if (typeof parameters === 'string' && parameters.trim() !== '') {
    try {
      parameters = JSON.parse(parameters) as JsonValue;
    } catch (error) {
      problems.push({
        pointer: '/parameters',
        message: `parameters is not JSON: ${(error as Error).message}`,
        keyword: 'json',
      });
      return [];
    }
  }
  if (parameters === undefined || parameters === null || parameters === '') return [];
  if (!Array.isArray(parameters)) {
    problems.push({ pointer: '/parameters', message: 'parameters must be a list', keyword: 'type' });
    return [];
  }
  return parameters as readonly JsonValue[];
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
