import type { JsonObject } from '@goflow/plugin-sdk/contract';
import { ROLES, RUN_STATUSES } from '../../core/records.ts';
import { HOST_ERRORS } from '../../core/errors.ts';
import { COMPONENTS, LOG_LEVELS } from '../../core/log.ts';

export function ref(name: keyof typeof SCHEMAS): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}

export function pageOfSchema(items: JsonObject): JsonObject {
  return {
    type: 'object',
    required: ['items', 'next_cursor'],
    properties: { items: { type: 'array', items }, next_cursor: { type: ['string', 'null'] } },
  };
}

const text = { type: 'string' } as const;
const whole = { type: 'integer' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const textOrNull = { type: ['string', 'null'] } as const;
const timeOrNull = { type: ['string', 'null'], format: 'date-time' } as const;
const anyObject = { type: 'object', additionalProperties: true } as const;
const textList = { type: 'array', items: text } as const;

function object(properties: JsonObject, required: readonly string[] = Object.keys(properties)): JsonObject {
  return { type: 'object', required, properties };
}

function component(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}

/** Lists leave out the rest. */
const RUN_ALWAYS = [
  'id',
  'workflow_id',
  'workflow_version',
  'status',
  'trigger',
  'parameters',
  'output',
  'error',
  'steps',
  'trace_id',
  'tenant_id',
  'user_id',
  'created_at',
  'started_at',
  'finished_at',
  'duration_ms',
  'attempt',
  'ended_by',
  'ending',
];

const LEVEL_OF_COMPONENT: JsonObject = Object.fromEntries(
  COMPONENTS.map((component) => [component, { type: 'string', enum: LOG_LEVELS }]),
);

/** The component schemas of the OpenAPI document; the shapes are those of `core/records.ts` and of the rooms' view types. */
export const SCHEMAS = {
  Problem: {
    description: 'RFC 9457 problem document.',
    ...object(
      {
        type: { type: 'string', format: 'uri' },
        title: text,
        status: whole,
        detail: text,
        code: { type: 'string', enum: Object.keys(HOST_ERRORS) },
        trace_id: text,
        errors: {
          type: 'array',
          items: object({
            pointer: { type: 'string', description: 'JSON Pointer into the request.' },
            message: text,
            keyword: text,
          }),
        },
        details: { description: 'Data about the problem.' },
      },
      ['type', 'title', 'status', 'detail', 'code', 'trace_id'],
    ),
  },
  Parameter: {
    description:
      'One run-time parameter; besides these members it may have the JSON Schema keywords that fit its type.',
    ...object(
      {
        name: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$' },
        type: { type: 'string', enum: ['string', 'number', 'integer', 'boolean', 'object', 'array'] },
        required: { type: 'boolean', default: false },
        default: { description: 'Fills in where the trigger leaves it out.' },
        description: text,
        secret: {
          type: 'boolean',
          default: false,
          description: 'Its value appears in no answer, log, event or trace.',
        },
      },
      ['name', 'type'],
    ),
  },
  Retry: object({ max_attempts: { type: 'integer', minimum: 1 }, backoff_ms: { type: 'number', minimum: 0 } }, []),
  Step: object(
    {
      id: text,
      action: { type: 'string', description: '`name`, or `plugin/name` where several plugins have it.' },
      config: { ...anyObject, description: "The action's input; strings may hold {{path}} placeholders." },
      credential: text,
      timeout: { type: 'number', description: 'Seconds.' },
      retry: component('Retry'),
    },
    ['id', 'action'],
  ),
  Schedule: {
    description: 'When the workflow triggers itself: each tick once, also across restarts.',
    ...object(
      {
        cron: { type: 'string', description: 'Five fields, or six with seconds first.' },
        timezone: { type: 'string', default: 'UTC', description: 'IANA name.' },
        catch_up: {
          type: 'string',
          enum: ['none', 'one', 'all'],
          default: 'none',
          description:
            'Ticks at which no host ran: nothing, one run for all of them, a run for each of the newest hundred.',
        },
        parameters: { ...anyObject, description: 'As a trigger would send them.' },
      },
      ['cron'],
    ),
  },
  WorkflowBody: {
    description: 'A workflow as it is written.',
    ...object(
      {
        name: text,
        parameters: { type: 'array', maxItems: 256, items: component('Parameter') },
        action: text,
        config: anyObject,
        credential: text,
        steps: { type: 'array', items: component('Step'), description: 'Instead of action and config.' },
        execution_timeout: {
          type: 'number',
          exclusiveMinimum: 0,
          maximum: 86_400,
          default: 300,
          description: 'Seconds.',
        },
        retry: component('Retry'),
        on_missing: { type: 'string', enum: ['error', 'empty', 'keep'], default: 'error' },
        schedule: component('Schedule'),
        webhook: {
          ...object(
            {
              secret: { type: 'string', writeOnly: true, description: '`whsec_` and base64 of 24 to 64 bytes.' },
              signed: {
                const: true,
                description: 'Shown in place of the secret; sent, it keeps the one that is there.',
              },
            },
            [],
          ),
          description: 'With a secret, the webhook takes messages signed as Standard Webhooks has it, and no others.',
        },
      },
      ['name'],
    ),
  },
  Workflow: {
    description: 'A stored workflow.',
    allOf: [
      component('WorkflowBody'),
      object({
        id: text,
        webhook_id: text,
        version: whole,
        is_active: { type: 'boolean' },
        created_at: time,
        updated_at: time,
      }),
    ],
  },
  TriggerBody: {
    ...object({ parameters: { ...anyObject, description: "Values of the workflow's parameters." } }, []),
    additionalProperties: false,
  },
  DryRunBody: {
    description: 'A workflow that is not stored, and values of its parameters. The workflow alone is taken too.',
    ...object({ workflow: component('WorkflowBody'), parameters: anyObject }, ['workflow']),
  },
  Accepted: object({ run_id: text, workflow_id: text, status: { type: 'string', enum: RUN_STATUSES }, trace_id: text }),
  Triggered: object({ status: { const: 'triggered' }, message: text, run_id: text, trace_id: text }),
  RunError: object({ code: text, message: text, retryable: { type: 'boolean' }, details: {} }, [
    'code',
    'message',
    'retryable',
  ]),
  RunStep: object({
    id: text,
    action: text,
    plugin: textOrNull,
    plugin_version: textOrNull,
    plugin_digest: textOrNull,
    status: { type: 'string', enum: RUN_STATUSES },
    started_at: timeOrNull,
    finished_at: timeOrNull,
    duration_ms: { type: ['number', 'null'] },
    attempt: whole,
    output: {},
    error: { anyOf: [component('RunError'), { type: 'null' }] },
  }),
  Run: object(
    {
      id: text,
      workflow_id: text,
      workflow_version: whole,
      status: { type: 'string', enum: RUN_STATUSES },
      trigger: anyObject,
      parameters: anyObject,
      output: {},
      error: { anyOf: [component('RunError'), { type: 'null' }] },
      steps: { type: 'array', items: component('RunStep') },
      trace_id: text,
      tenant_id: text,
      user_id: text,
      created_at: time,
      started_at: timeOrNull,
      finished_at: timeOrNull,
      duration_ms: { type: ['number', 'null'] },
      attempt: whole,
      ended_by: { type: ['string', 'null'], enum: ['deadline', 'cancel', 'disconnect', 'restart', null] },
      ending: { anyOf: [component('RunEnding'), { type: 'null' }] },
      egress: { type: 'array', items: component('RunEgress'), description: 'What it reached. Not in lists.' },
      egress_dropped: { type: 'integer', description: 'How many more outgoing requests there were.' },
      retries: {
        type: 'array',
        items: component('RunRetry'),
        description: 'Attempts that another followed. Not in lists.',
      },
    },
    RUN_ALWAYS,
  ),
  RunEgress: object({
    step_id: text,
    attempt: whole,
    kind: { type: 'string', enum: ['http', 'tcp'] },
    method: textOrNull,
    host: text,
    port: whole,
    address: textOrNull,
    rule: { type: 'string', description: 'The granted entry that let it through, or the check that refused it.' },
    status: { type: ['integer', 'null'] },
    bytes_sent: whole,
    bytes_received: whole,
    started_at: time,
    duration_ms: { type: 'number' },
    error: { anyOf: [object({ code: text, message: text }), { type: 'null' }] },
  }),
  RunRetry: object({
    step_id: text,
    attempt: whole,
    started_at: time,
    duration_ms: { type: 'number' },
    code: text,
    wait_ms: { type: 'number' },
  }),
  RunTrace: object({
    run_id: text,
    trace_id: text,
    status: { type: 'string', enum: RUN_STATUSES },
    created_at: time,
    duration_ms: { type: ['number', 'null'] },
    budget: {
      description: 'In milliseconds; the parts are disjoint and add up to `used_ms`.',
      ...object({
        total_ms: { type: ['number', 'null'], description: '`execution_timeout`.' },
        used_ms: { type: 'number' },
        left_ms: { type: ['number', 'null'] },
        queued_ms: { type: 'number' },
        requests_ms: { type: 'number', description: 'Within attempts, waiting for an outgoing request.' },
        connectors_ms: { type: 'number', description: 'Within attempts, the rest.' },
        pauses_ms: { type: 'number', description: 'Between attempts.' },
        host_ms: { type: 'number', description: 'The host: rendering, checking, storing.' },
      }),
    },
    events: {
      type: 'array',
      items: object({
        kind: { type: 'string', enum: ['queued', 'step', 'attempt', 'pause', 'request'] },
        step_id: textOrNull,
        attempt: { type: ['integer', 'null'] },
        offset_ms: { type: 'number', description: 'From the acceptance of the run.' },
        duration_ms: { type: ['number', 'null'], description: 'Null: it goes on.' },
        status: textOrNull,
        code: textOrNull,
        target: textOrNull,
      }),
    },
    requests_dropped: whole,
  }),
  RunEnding: object({
    answered_after_ms: { type: 'number' },
    thread_gone_after_ms: { type: ['number', 'null'] },
    engine_killed: { type: 'boolean' },
  }),
  RunLog: object({
    seq: whole,
    timestamp: time,
    level: { type: 'string', enum: ['debug', 'info', 'warn', 'error'] },
    msg: text,
    step_id: textOrNull,
    attempt: whole,
    fields: { type: ['object', 'null'] },
  }),
  Permissions: {
    ...object({ net: textList, connect: textList, storage: { type: 'boolean' } }, []),
    additionalProperties: false,
  },
  GrantBody: { ...object({ permissions: component('Permissions') }), additionalProperties: false },
  Bundle: {
    description: 'A bundle file as `goflow-plugin build` writes it.',
    ...object({
      format: { const: 'goflow-bundle/1' },
      manifest: anyObject,
      files: anyObject,
      signatures: { type: 'array' },
    }),
  },
  Installed: object({
    name: text,
    version: text,
    state: text,
    digest: text,
    permissions_to_grant: component('Permissions'),
    manifest: anyObject,
  }),
  Plugin: {
    description:
      'A plugin, or a file of the plugins directory that was refused (state `refused`, with `file` and `reason`).',
    ...object(
      {
        name: textOrNull,
        version: textOrNull,
        state: { type: 'string', enum: ['enabled', 'disabled', 'needs_grant', 'quarantined', 'refused'] },
        digest: text,
        title: textOrNull,
        description: textOrNull,
        manifest: anyObject,
        versions: { type: 'array', items: anyObject },
        permissions: component('Permissions'),
        grants: component('Permissions'),
        permissions_to_grant: component('Permissions'),
        health: anyObject,
        file: text,
        reason: text,
      },
      ['name', 'version', 'state'],
    ),
  },
  Action: object({
    id: text,
    name: { type: 'string', description: '`plugin/id`: names the action whatever else is installed.' },
    plugin: text,
    plugin_version: text,
    title: textOrNull,
    description: textOrNull,
    input: { type: ['object', 'boolean'], description: 'JSON Schema 2020-12.' },
    output: { type: ['object', 'boolean'], description: 'JSON Schema 2020-12.' },
    timeout_ms: { type: ['number', 'null'] },
    idempotent: { type: 'boolean' },
    needs_credential: { type: 'boolean' },
  }),
  CredentialBody: object({
    name: text,
    plugin: text,
    values: {
      ...anyObject,
      writeOnly: true,
      description: "As the plugin's credential schema says. Never shown again.",
    },
  }),
  Credential: object({ id: text, name: text, plugin: text, is_default: { type: 'boolean' }, created_at: time }),
  KeyBody: object(
    {
      name: text,
      role: { type: 'string', enum: ROLES },
      tenant_id: text,
      user_id: text,
      expires_at: { ...time, description: 'In the future; left out: never.' },
    },
    ['name', 'role'],
  ),
  Key: object({
    id: text,
    name: text,
    role: { type: 'string', enum: ROLES },
    tenant_id: text,
    user_id: text,
    created_at: time,
    expires_at: timeOrNull,
  }),
  NewKey: {
    allOf: [component('Key'), object({ key: { type: 'string', description: 'The key itself. Shown this once.' } })],
  },
  AuditRecord: object({
    id: text,
    time,
    tenant_id: text,
    actor: object({ user_id: text, key_id: textOrNull, role: { type: 'string', enum: ROLES } }),
    action: { type: 'string', description: '`noun.verb`.' },
    target: { ...textOrNull, description: 'Id or name of what it was done to.' },
    outcome: { type: 'string', enum: ['succeeded', 'failed', 'denied'] },
    code: { ...textOrNull, description: 'Error code of what failed or was denied.' },
    trace_id: text,
    details: { type: ['object', 'null'] },
  }),
  LogLevels: object({ levels: { type: 'object', required: COMPONENTS, properties: LEVEL_OF_COMPONENT } }),
  LogLevelsBody: {
    ...object({ levels: { type: 'object', additionalProperties: false, properties: LEVEL_OF_COMPONENT } }),
    additionalProperties: false,
  },
  Health: object({
    status: { type: 'string', enum: ['ok', 'unavailable'] },
    checks: {
      type: 'object',
      additionalProperties: object({ status: { type: 'string', enum: ['ok', 'failed'] }, detail: text }, ['status']),
    },
  }),
} as const satisfies Record<string, JsonObject>;
