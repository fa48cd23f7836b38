import { randomBytes } from 'node:crypto';
import {
  actionTimeoutMs,
  type Bundle,
  collectSecrets,
  compileSchema,
  createMask,
  effectiveLimits,
  type ErrorData,
  type JsonObject,
  type JsonSchema,
  type JsonValue,
  type SchemaProblem,
  schemaProblems,
  validationProblems,
} from '../contract/index.ts';
import type { Broker, CallOutcome, EgressRecord, Engine } from '../runtime/index.ts';
import { instrument, LEFT_BEHIND } from './instrument.ts';
import { watchLeaks } from './leaks.ts';
import type { ActionOutcome, LogLine } from './outcome.ts';
import { joinTaps, type Tap, tapView } from './tap.ts';

export interface ActionCall {
  readonly bundle: Bundle;
  readonly digest: string;
  readonly action: string;
  readonly input: JsonValue;
  /** The credential's real values. */
  readonly credential: JsonObject | null;
  /** Longest call, in milliseconds. Default: what the manifest says. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onLog?: (line: LogLine) => void;
  /** Between the connector and the broker, the first nearest to the connector. */
  readonly taps?: readonly Tap[];
  /** Time at which the connector's clock begins, in milliseconds since the epoch; null: the real time. */
  readonly clock?: number | null;
  /** Count what is left behind. */
  readonly leaks?: boolean;
  /** After a deadline or a cancellation: the work has ended; `null`: by itself, else its thread was ended after so many milliseconds. */
  readonly onEnded?: (threadGoneMs: number | null) => void;
}

/** Calls an action as a host does: input and result checked, secrets as placeholders, everything that the manifest asks for granted. */
export async function callAction(engine: Engine, broker: Broker, call: ActionCall): Promise<ActionOutcome> {
  const { manifest } = call.bundle;
  const action = Object.hasOwn(manifest.actions, call.action) ? manifest.actions[call.action] : undefined;
  if (action === undefined) {
    throw new TypeError(
      `${manifest.name} has no action "${call.action}"; there are ${Object.keys(manifest.actions).join(', ')}`,
    );
  }
  const unfit = misfit(action.input, call.input, '/input');
  if (unfit !== null)
    return {
      status: 'failed',
      error: error('INPUT_INVALID', `the input does not fit its schema: ${unfit}`),
      logs: [],
      egress: [],
      duration_ms: 0,
    };

  const began = performance.now();
  const deadline = began + (call.timeoutMs ?? actionTimeoutMs(manifest, call.action));
  const mask = createMask(call.credential === null ? [] : collectSecrets(manifest.credential ?? null, call.credential));
  const logs: LogLine[] = [];
  const egress: EgressRecord[] = [];
  const trace = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
  const traceparent = `00-${trace.traceId}-${trace.spanId}-01`;
  const session = broker.open({
    tenantId: 'local',
    plugin: manifest.name,
    granted: manifest.permissions ?? {},
    credential: call.credential,
    credentialSchema: manifest.credential ?? null,
    secrets: manifest.secrets ?? 'placeholder',
    traceparent,
    deadline,
    onEgress: (record) => egress.push(record),
  });
  const leaks = call.leaks === true ? watchLeaks() : null;
  const clock = call.clock ?? null;
  const taps = joinTaps([...(leaks === null ? [] : [leaks.tap]), ...(call.taps ?? [])]);
  const view = tapView(call.credential, session.credential, mask);
  const code = call.bundle.files['plugin.js'];
  const loaded = leaks === null && clock === null ? { code, digest: call.digest } : instrument(code, clock);
  const left: { behind: JsonObject | null } = { behind: null };
  const log = (level: LogLine['level'], message: string, fields: JsonObject | null): void => {
    if (message === LEFT_BEHIND) {
      left.behind = fields;
      return;
    }
    const line: LogLine = {
      level,
      message: mask(message),
      fields: fields === null ? null : (maskJson(fields, mask) as JsonObject),
    };
    logs.push(line);
    call.onLog?.(line);
  };
  const outcome = await engine.call(
    {
      bundle: {
        ...loaded,
        name: manifest.name,
        version: manifest.version,
        limits: effectiveLimits(manifest),
      },
      action: call.action,
      input: JSON.stringify(call.input),
      context: {
        traceId: trace.traceId,
        traceparent,
        runId: 'run_local',
        workflowId: 'wf_local',
        stepId: call.action,
        attempt: 1,
        idempotencyKey: `run_local:${call.action}`,
        tenantId: 'local',
        userId: 'local',
        credential: session.credential,
      },
      deadline,
      idempotent: action.idempotent !== false,
    },
    {
      broker: (request) => taps(request, (asked) => session.handle(asked), view),
      log,
      logsDropped: (count) => log('warn', `${count} more lines were dropped`, null),
      progress: (fraction, message) =>
        log('info', `${Math.round(fraction * 100)} %${message === null ? '' : ` ${message}`}`, null),
      ended: (threadGoneMs) => call.onEnded?.(threadGoneMs),
    },
    call.signal ?? new AbortController().signal,
  );
  const open = leaks?.count();
  // What the broker refused because the time was over is a time-out, also when the connector's failure came in first.
  const late =
    outcome.status === 'failed' && outcome.error.code === 'DEADLINE_EXCEEDED' && performance.now() >= deadline;
  if (late) call.onEnded?.(null);
  session.close(outcome.status === 'aborted' ? outcome.reason : 'ended');
  return {
    ...judge(late ? { status: 'aborted', reason: 'deadline' } : outcome, action.output, mask),
    logs,
    egress,
    duration_ms: Math.round((performance.now() - began) * 10) / 10,
    ...(open !== undefined && { leaks: { ...open, timers: Number(left.behind?.['timers'] ?? 0) } }),
    ...(clock !== null && left.behind !== null && { clock_ms: Number(left.behind['time']) - clock }),
  };
}

type Verdict =
  | { readonly status: 'succeeded'; readonly output: JsonValue }
  | { readonly status: 'failed' | 'timed_out' | 'cancelled'; readonly error: ErrorData };

function judge(outcome: CallOutcome, schema: JsonSchema | undefined, mask: (text: string) => string): Verdict {
  switch (outcome.status) {
    case 'returned': {
      const output = maskJson(JSON.parse(outcome.output) as JsonValue, mask);
      const unfit = misfit(schema, output, '/output');
      return unfit === null
        ? { status: 'succeeded', output }
        : { status: 'failed', error: error('RESULT_INVALID', `the result does not fit its schema: ${unfit}`) };
    }
    case 'failed':
      return { status: 'failed', error: maskJson(outcome.error as unknown as JsonValue, mask) as unknown as ErrorData };
    case 'aborted':
      return outcome.reason === 'deadline'
        ? { status: 'timed_out', error: error('DEADLINE_EXCEEDED', 'the deadline passed') }
        : { status: 'cancelled', error: error('CANCELLED', 'the call was cancelled') };
    case 'interrupted':
    default:
      return { status: 'failed', error: error('INTERRUPTED', 'the engine was lost while the action ran') };
  }
}

/** A copy in which every text, keys included, is masked. */
function maskJson(value: JsonValue, mask: (text: string) => string): JsonValue {
  if (typeof value === 'string') return mask(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item) => maskJson(item, mask));
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, member]) => [
      mask(key),
      member === undefined ? null : maskJson(member, mask),
    ]),
  );
}

/** What is wrong with a value, in one line; `null` when it fits. */
export function misfit(schema: JsonSchema | undefined, value: unknown, at: string): string | null {
  if (schema === undefined) return null;
  const [fault] = schemaProblems(schema);
  if (fault !== undefined) return `the schema itself: ${fault.pointer} ${fault.message}`;
  const validate = compileSchema(schema);
  if (validate(value)) return null;
  return validationProblems(validate.errors, at).map(show).join('; ');
}

function show(problem: SchemaProblem): string {
  return `${problem.pointer} ${problem.message}`;
}

function error(code: string, message: string): ErrorData {
  return { code, message, retryable: false };
}
