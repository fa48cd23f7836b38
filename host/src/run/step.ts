import { actionTimeoutMs, type CallContext, type JsonValue } from '@goflow/plugin-sdk/contract';
import type { Broker, CallOutcome, EgressRecord, Engine } from '@goflow/plugin-sdk/runtime';
import { newSpanId, traceparentOf, withDeadline, type Context } from '../core/context.ts';
import type { Logger } from '../core/log.ts';
import { messageOf } from '../core/errors.ts';
import type { Credentials } from '../credential/credentials.ts';
import type { RunMeters } from '../metrics/run-meters.ts';
import { compileSchema } from '../params/schema-validator.ts';
import type { CallOutcomeKind, Plugins, ResolvedAction } from '../plugin/types.ts';
import type { RunSpans } from '../tracing/run-spans.ts';
import type { CompiledStep } from '../workflow/compile.ts';
import type { ActiveRun, WorkEnd } from './active-run.ts';
import { prepareCall, type PreparedCall } from './prepare.ts';
import { runError } from './retry.ts';
import { describeProblems, failed, type StepResult } from './step-result.ts';

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
  const prepared = await prepareCall(services, run, step, attempt.deadline);
  return prepared.kind === 'ready' ? callAction(services, run, step, prepared, attempt) : prepared;
}

async function callAction(
  services: StepServices,
  run: ActiveRun,
  step: CompiledStep,
  { action, input, credential }: PreparedCall,
  attempt: Attempt,
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
        runError('RESULT_INVALID', describeProblems('the result', problems), {
          errors: problems as unknown as JsonValue,
        }),
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
    address: record.address,
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
