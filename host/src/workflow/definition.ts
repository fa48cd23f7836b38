import type { JsonObject, JsonSchema, JsonValue } from '@goflow/plugin-sdk/contract';

/**
 * A workflow as it is stored: whatever shape it came in, it has this one. `steps` is the truth for the executor; `form` says how the author
 * wrote it, so that the API shows it the same way.
 */
export interface WorkflowDefinition {
  readonly name: string;
  readonly description?: string;
  /** As written; checked by the params room. */
  readonly parameters: readonly JsonValue[];
  readonly form: 'empty' | 'action' | 'steps' | 'original';
  readonly steps: readonly StepDefinition[];
  /** Seconds for the whole run, retries and queueing included. */
  readonly execution_timeout: number;
  readonly retry?: RetryPolicy;
  readonly on_missing: OnMissing;
  readonly schedule?: ScheduleDefinition;
  /** The fields of the original's shape as they were sent, for showing them again. */
  readonly original?: JsonObject;
  /** A person chose the id, so it can be guessed: see `webhookIdOf`. */
  readonly chosen_id?: true;
  /** The webhook takes signed messages alone. Base64 of the secret, sealed by the vault. */
  readonly webhook?: { readonly sealed_secret: string };
}

/** When a workflow triggers itself. */
export interface ScheduleDefinition {
  /** Five fields, or six with seconds first. */
  readonly cron: string;
  /** IANA name. */
  readonly timezone: string;
  /** What becomes of ticks at which no host ran: nothing, one run for all of them, a run for each (the newest hundred). */
  readonly catch_up: 'none' | 'one' | 'all';
  readonly parameters?: JsonObject;
}

export type OnMissing = 'error' | 'empty' | 'keep';

export interface StepDefinition {
  readonly id: string;
  /** `name` or `plugin/name`. */
  readonly action: string;
  readonly config: JsonObject;
  readonly credential?: string;
  /** Seconds. */
  readonly timeout?: number;
  readonly retry?: RetryPolicy;
  /** What a bare path (`{{user.name}}`) means in the original's shape. */
  readonly bare_paths?: 'trigger' | 'previous';
}

/** Retries of a step: exponential back-off with full jitter, only for retryable errors and within the deadline. */
export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly max_attempts: number;
  /** Upper bound of the first delay, doubled with each further one. Default 500. */
  readonly backoff_ms?: number;
  /** No delay is longer. Default 30,000. */
  readonly max_backoff_ms?: number;
}

export const DEFAULT_EXECUTION_TIMEOUT = 300;
export const MAX_EXECUTION_TIMEOUT = 86_400;
export const MAX_STEPS = 100;
/** Id of the only step of a workflow with `action` and `config`. */
export const SINGLE_STEP_ID = 'main';

export const WORKFLOW_ID = /^[A-Za-z0-9_-]{1,64}$/;

const RETRY: JsonSchema = {
  type: 'object',
  required: ['max_attempts'],
  additionalProperties: false,
  properties: {
    max_attempts: { type: 'integer', minimum: 1, maximum: 20 },
    backoff_ms: { type: 'integer', minimum: 0, maximum: 3_600_000 },
    max_backoff_ms: { type: 'integer', minimum: 0, maximum: 3_600_000 },
  },
};

const TIMEOUT: JsonSchema = { type: 'number', exclusiveMinimum: 0, maximum: MAX_EXECUTION_TIMEOUT };
const ACTION: JsonSchema = { type: 'string', minLength: 1, maxLength: 200 };
const CREDENTIAL: JsonSchema = { type: 'string', minLength: 1, maxLength: 200 };

/** Shape of the body of POST and PUT /api/workflows, in JSON Schema 2020-12. What fields mean is checked after it. */
export const WORKFLOW_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 200 },
    description: { type: 'string', maxLength: 10_000 },
    parameters: { type: 'array' },
    action: ACTION,
    config: { type: 'object' },
    credential: CREDENTIAL,
    steps: {
      type: 'array',
      minItems: 1,
      maxItems: MAX_STEPS,
      items: {
        type: 'object',
        required: ['id', 'action'],
        additionalProperties: false,
        properties: {
          id: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,63}$' },
          action: ACTION,
          config: { type: 'object' },
          credential: CREDENTIAL,
          timeout: TIMEOUT,
          retry: RETRY,
        },
      },
    },
    execution_timeout: TIMEOUT,
    retry: RETRY,
    on_missing: { enum: ['error', 'empty', 'keep'] },
    schedule: {
      type: 'object',
      required: ['cron'],
      additionalProperties: false,
      properties: {
        cron: { type: 'string', minLength: 1, maxLength: 200 },
        timezone: { type: 'string', minLength: 1, maxLength: 100 },
        catch_up: { enum: ['none', 'one', 'all'] },
        parameters: { type: 'object' },
      },
    },
    is_active: { type: 'boolean' },
    // Checked apart from the rest: messages of a schema may quote what was sent.
    webhook: true,
  },
};
