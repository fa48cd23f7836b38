import {
  actionTimeoutMs,
  type CallContext,
  type ErrorData,
  type JsonObject,
  type JsonValue,
  type Manifest,
} from '@goflow/plugin-sdk/contract';
import type { Broker, CallOutcome, EgressRecord, Engine } from '@goflow/plugin-sdk/runtime';
import { newSpanId, traceparentOf, withDeadline, type Context } from '../core/context.ts';
import type { Logger } from '../core/log.ts';
import { messageOf, type Problem } from '../core/errors.ts';
import type { Credentials } from '../credential/credentials.ts';
import type { RunMeters } from '../metrics/run-meters.ts';
import { compileSchema } from '../params/schema-validator.ts';
import type { CallOutcomeKind, Plugins, ResolvedAction } from '../plugin/types.ts';
import type { RunSpans } from '../tracing/run-spans.ts';
import { TemplatePathMissing, TemplateTooLarge } from '../template/template.ts';
import type { CompiledStep } from '../workflow/compile.ts';
import type { ActiveRun, WorkEnd } from './active-run.ts';
import { runError } from './retry.ts';
import { templateRoots } from './roots.ts';

/** What running a step needs of other rooms. */
export interface StepServices {
  readonly plugins: Plugins;
  readonly credentials: Credentials;
  readonly engine: Pick<Engine, 'call'>;
  readonly broker: Broker;
  readonly meters: RunMeters;
  /** Null: traces are off. */
  readonly spans: RunSpans | null;
  /** By component: `plugin` logs finished calls, `sandbox` what connectors log, `broker` outgoing requests, `executor` the rest. */
  readonly logs: {
    readonly plugin: Logger;
    readonly sandbox: Logger;
    readonly broker: Logger;
    readonly executor: Logger;
  };
}

export type StepResult =
  | { readonly kind: 'succeeded'; readonly output: JsonValue; readonly action: ResolvedAction }
  | {
      readonly kind: 'failed';
      readonly error: ErrorData;
      readonly action: ResolvedAction | null;
      /** How long an answer that the connector got asked to be left alone (`Retry-After`), in milliseconds. */
      readonly askedMs?: number;
    }
  | { readonly kind: 'timed_out' | 'cancelled' | 'interrupted'; readonly action: ResolvedAction | null };

/** One attempt that is about to be made. */
export interface Attempt {
  /** Counts the attempts of the step, those that were cut off and begun again included. */
  readonly number: number;
  /** Monotonic deadline of the step, in the milliseconds of `performance.now()`. */
  readonly deadline: number;
  /** Span of the step. */
  readonly stepSpanId: string;
  /** The attempt was cut off through no fault of its own and begins again as the next one: `number` grows. */
  restart(): void;
}

/**
 * Makes one attempt of a step: finds its action, renders and checks its input, opens its door to the world, and calls it in the engine. Ends when the
 * action has, or at once when the deadline passes or the run is cancelled; then the door is closed before this function resolves.
 */
export async function attemptStep(
  services: StepServices,
  run: ActiveRun,
  step: CompiledStep,
  attempt: Attempt,
): Promise<StepResult> {
  const found = services.plugins.findAction(run.ctx.tenantId, step.definition.action);
  if (!found.found) return failed(runError('PLUGIN_UNAVAILABLE', found.reason), null);
  const action = found.action;
  const refused = refusal(action);
  if (refused !== null) return failed(refused, action);

  const rendered = renderInput(run, step, action);
  if ('error' in rendered) return failed(rendered.error, action);

  const { manifest } = action.plugin;
  const given = await findCredential(services, run, step, manifest);
  if ('error' in given) return failed(given.error, action);
  if (given.values !== null && manifest.credential !== undefined)
    run.mask.addCredential(manifest.credential, given.values);
  const admitted = services.plugins.admit(action.plugin.digest, run.ctx.tenantId);
  if (admitted !== 'go') return failed(quarantined(manifest.name, admitted.retryAfterMs), action);
  return callAction(services, run, step, action, attempt, rendered.input, given.values);
}

function quarantined(plugin: string, retryAfterMs?: number): ErrorData {
  const message = `the plugin ${plugin} was ended by force too often and is quarantined; it is tried again by itself, or now with POST /api/plugins/${plugin}/enable`;
  return runError(
    'PLUGIN_QUARANTINED',
    message,
    retryAfterMs === undefined ? undefined : { retry_after_ms: Math.ceil(retryAfterMs) },
  );
}

function failed(error: ErrorData, action: ResolvedAction | null): StepResult {
  return { kind: 'failed', error, action };
}

function refusal(action: ResolvedAction): ErrorData | null {
  const name = action.plugin.manifest.name;
  switch (action.state) {
    case 'enabled':
      return null;
    case 'needs_grant':
      return runError(
        'PERMISSION_NOT_GRANTED',
        `the plugin ${name} waits for an admin to grant its permissions: PUT /api/plugins/${name}/grants`,
      );
    case 'quarantined':
      return quarantined(name);
    case 'disabled':
    case 'refused':
      return runError(
        'PLUGIN_UNAVAILABLE',
        `the plugin ${name} is ${action.state}; an admin can enable it with POST /api/plugins/${name}/enable`,
      );
  }
}

async function findCredential(
  services: StepServices,
  run: ActiveRun,
  step: CompiledStep,
  manifest: Manifest,
): Promise<{ readonly values: JsonObject | null } | { readonly error: ErrorData }> {
  const schema = manifest.credential;
  if (schema === undefined) return { values: null };
  const name = step.definition.credential;
  let resolved: Awaited<ReturnType<Credentials['resolve']>>;
  try {
    resolved = await services.credentials.resolve(run.ctx, {
      plugin: manifest.name,
      ...(name === undefined ? {} : { name }),
    });
  } catch (error) {
    return { error: runError('CREDENTIAL_MISSING', messageOf(error)) };
  }
  if (resolved !== null) return { values: resolved.values };
  const how = 'create it with POST /api/credentials';
  if (name !== undefined)
    return {
      error: runError('CREDENTIAL_MISSING', `there is no credential "${name}" for the plugin ${manifest.name}; ${how}`),
    };
  if (!credentialIsNeeded(schema)) return { values: null };
  return {
    error: runError(
      'CREDENTIAL_MISSING',
      `the plugin ${manifest.name} needs a credential, and the tenant has none or several without a default; ${how} or name one with "credential"`,
    ),
  };
}

/** A credential schema that asks for nothing can do without one. */
function credentialIsNeeded(schema: JsonObject): boolean {
  return Array.isArray(schema['required']) && schema['required'].length > 0;
}

function renderInput(
  run: ActiveRun,
  step: CompiledStep,
  action: ResolvedAction,
): { readonly input: JsonValue } | { readonly error: ErrorData } {
  let input: JsonValue;
  try {
    input = step.config.render(templateRoots(run, step.definition), step.onMissing);
  } catch (error) {
    if (error instanceof TemplateTooLarge) return { error: runError('INPUT_INVALID', error.message) };
    if (!(error instanceof TemplatePathMissing)) throw error;
    return { error: runError('TEMPLATE_PATH_MISSING', error.message, { path: error.path, pointer: error.pointer }) };
  }
  const schema = action.action.input;
  if (schema === undefined) return { input };
  if (step.definition.bare_paths !== undefined || run.workflow.definition.form === 'original')
    input = withoutUnknown(input, schema);
  const problems = compileSchema(schema)(input, '/input');
  if (problems.length === 0) return { input };
  return {
    error: runError('INPUT_INVALID', describe(`the input of ${step.definition.action}`, problems), {
      errors: problems as unknown as JsonValue,
    }),
  };
}

/** The original's configurations carry fields of other actions; they are ignored. */
function withoutUnknown(input: JsonValue, schema: JsonValue): JsonValue {
  if (
    !isObject(input) ||
    !isObject(schema) ||
    schema['additionalProperties'] !== false ||
    !isObject(schema['properties'])
  )
    return input;
  const known = schema['properties'];
  return Object.fromEntries(Object.entries(input).filter(([name]) => Object.hasOwn(known, name)));
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(what: string, problems: readonly Problem[]): string {
  const shown = problems.slice(0, 3).map((problem) => `${problem.pointer}: ${problem.message}`);
  const more = problems.length > 3 ? `; and ${problems.length - 3} more` : '';
  return `${what} does not fit its schema: ${shown.join('; ')}${more}`;
}

async function callAction(
  services: StepServices,
  run: ActiveRun,
  step: CompiledStep,
  action: ResolvedAction,
  attempt: Attempt,
  input: JsonValue,
  credential: JsonObject | null,
): Promise<StepResult> {
  const { manifest } = action.plugin;
  const stepId = step.definition.id;
  const deadline = Math.min(attempt.deadline, performance.now() + actionTimeoutMs(manifest, action.id));
  const ctx: Context = withDeadline({ ...run.ctx, spanId: newSpanId() }, deadline);
  const fields = { plugin: manifest.name, action: action.id, step_id: stepId };
  let askedUntil = 0;
  const openSession = () =>
    services.broker.open({
      tenantId: ctx.tenantId,
      plugin: manifest.name,
      granted: action.granted,
      credential,
      credentialSchema: manifest.credential ?? null,
      secrets: manifest.secrets ?? 'placeholder',
      traceparent: services.spans === null ? traceparentOf(ctx) : () => traceparentOf({ ...ctx, spanId: newSpanId() }),
      deadline,
      onEgress(record) {
        if (record.retryAfterMs !== undefined)
          askedUntil = Math.max(askedUntil, performance.now() + record.retryAfterMs);
        run.trail.egressFinished(stepId, attempt.number, record, (text) => run.mask.text(text));
        services.meters.egressFinished(manifest.name, record);
        services.spans?.egressFinished(ctx, manifest.name, record, run.mask.text(record.host));
        logEgress(services.logs.broker, ctx, run, fields, record);
      },
    });
  let session = openSession();
  const callContext = (): CallContext => ({
    traceId: ctx.traceId,
    traceparent: traceparentOf(ctx),
    runId: run.id,
    workflowId: run.workflow.record.id,
    stepId,
    attempt: attempt.number,
    idempotencyKey: `${run.id}:${stepId}`,
    tenantId: ctx.tenantId,
    userId: ctx.userId,
    credential: session.credential,
  });
  const started = performance.now();
  const workEnd = Promise.withResolvers<WorkEnd>();
  const outcome = await services.engine.call(
    {
      bundle: action.plugin.bundle,
      action: action.id,
      input: JSON.stringify(input),
      context: callContext(),
      deadline,
      idempotent: action.action.idempotent !== false,
    },
    {
      broker: (call) => session.handle(call),
      log(level, message, extra) {
        const text = run.mask.text(message);
        const masked = run.mask.json(extra);
        run.log(level, text, stepId, attempt.number, masked);
        services.logs.sandbox.log(level, ctx, text, masked === null ? fields : { ...fields, fields: masked });
      },
      logsDropped: (count) => run.countDropped(count),
      progress: (fraction, message) =>
        run.emitProgress(stepId, fraction, message === null ? null : run.mask.text(message)),
      span: (name, ms, failed) => services.spans?.connectorSpan(ctx, run.mask.text(name), ms, failed),
      restarted() {
        // What the lost attempt had open must neither go on nor be mistaken for the new one's.
        session.close('ended');
        session = openSession();
        attempt.restart();
        services.logs.executor.info(ctx, 'attempt begins again', { ...fields, attempt: attempt.number });
        return callContext();
      },
      ended(threadGoneMs, engineKilled) {
        workEnd.resolve({ threadGoneMs, engineKilled });
        // Ending a thread is everyday work; one that could not be ended cost a whole engine.
        if (engineKilled) services.plugins.noteOutcome(action.plugin.digest, ctx.tenantId, 'killed');
        services.logs.executor.info(ctx, 'work ended', {
          ...fields,
          duration_ms: round(performance.now() - started),
          thread_gone_ms: threadGoneMs,
          engine_killed: engineKilled,
        });
      },
    },
    run.signal,
  );
  // The fence: from here on nothing of this attempt goes out, whatever the connector still tries.
  session.close(outcome.status === 'aborted' ? outcome.reason : 'ended');
  if (outcome.status === 'aborted') {
    run.workEnd = workEnd.promise;
    if (outcome.reason === 'deadline') run.dueAt = deadline;
  }
  const judged = judge(run, action, outcome);
  const askedMs = Math.max(0, askedUntil - performance.now());
  const result = judged.kind === 'failed' && askedMs > 0 ? { ...judged, askedMs } : judged;
  services.plugins.noteOutcome(action.plugin.digest, ctx.tenantId, outcomeKind(result));
  const error = result.kind === 'failed' ? result.error : null;
  const durationMs = performance.now() - started;
  services.meters.actionFinished(manifest.name, action.id, result.kind, durationMs);
  services.spans?.attemptEnded(ctx, {
    parentSpanId: attempt.stepSpanId,
    stepId,
    attempt: attempt.number,
    plugin: manifest.name,
    action: action.id,
    start: started,
    status: result.kind,
    error,
    wallMs: outcome.status === 'returned' || outcome.status === 'failed' ? (outcome.usage?.wallMs ?? null) : null,
  });
  services.logs.plugin.info(ctx, 'action finished', {
    ...fields,
    duration_ms: round(durationMs),
    status: result.kind,
    attempt: attempt.number,
    ...(error === null ? {} : { 'error.code': error.code, 'error.message': error.message }),
  });
  return result;
}

function outcomeKind(result: StepResult): CallOutcomeKind {
  switch (result.kind) {
    case 'failed':
      return result.error.code === 'OUT_OF_MEMORY'
        ? 'out_of_memory'
        : result.error.code === 'PLUGIN_CRASHED'
          ? 'crashed'
          : 'failed';
    case 'interrupted':
      return 'cancelled';
    default:
      return result.kind;
  }
}

function judge(run: ActiveRun, action: ResolvedAction, outcome: CallOutcome): StepResult {
  switch (outcome.status) {
    case 'returned':
      return checkOutput(run, action, outcome.output);
    case 'failed':
      return failed(run.mask.json(outcome.error), action);
    case 'aborted':
      return { kind: outcome.reason === 'deadline' ? 'timed_out' : 'cancelled', action };
    case 'interrupted':
      return { kind: 'interrupted', action };
  }
}

function checkOutput(run: ActiveRun, action: ResolvedAction, text: string): StepResult {
  let output: JsonValue;
  try {
    output = run.mask.parsed(text);
  } catch (error) {
    return failed(runError('RESULT_NOT_JSON', `the result is not JSON: ${messageOf(error)}`), action);
  }
  const schema = action.action.output;
  if (schema !== undefined) {
    const problems = compileSchema(schema)(output, '/output');
    if (problems.length > 0)
      return failed(
        runError('RESULT_INVALID', describe('the result', problems), { errors: problems as unknown as JsonValue }),
        action,
      );
  }
  return { kind: 'succeeded', output, action };
}

function logEgress(log: Logger, ctx: Context, run: ActiveRun, fields: object, record: EgressRecord): void {
  log.log(record.error === null ? 'info' : 'warn', ctx, 'outgoing request finished', {
    ...fields,
    kind: record.kind,
    method: record.method,
    host: run.mask.text(record.host),
    port: record.port,
    rule: run.mask.text(record.rule),
    status: record.status,
    bytes_sent: record.bytesSent,
    bytes_received: record.bytesReceived,
    duration_ms: round(record.durationMs),
    ...(record.error === null
      ? {}
      : { 'error.code': record.error.code, 'error.message': run.mask.text(record.error.message) }),
  });
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
