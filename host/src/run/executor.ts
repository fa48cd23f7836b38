import type { ErrorData, JsonValue } from '@goflow/plugin-sdk/contract';
import { newSpanId, remainingMs } from '../core/context.ts';
import { messageOf } from '../core/errors.ts';
import type { RunRecord, StepRecord } from '../core/records.ts';
import type { Store } from '../store/store.ts';
import type { CompiledStep } from '../workflow/compile.ts';
import type { ActiveRun } from './active-run.ts';
import { pause } from './pause.ts';
import { persist } from './persist.ts';
import { isRetryable, NO_RETRY, retryDelay, runError } from './retry.ts';
import { createRetryBudget } from './retry-budget.ts';
import { attemptStep, type Attempt, type StepServices } from './step.ts';
import type { StepResult } from './step-result.ts';
import { overdue } from './in-time.ts';

/** How a run ended, before it is written down. `requeued`: the host shuts down, and the next one takes the run up. */
type Ending =
  | { readonly status: 'succeeded'; readonly output: JsonValue; readonly error: null }
  | { readonly status: 'failed' | 'timed_out' | 'cancelled'; readonly output: null; readonly error: ErrorData }
  | { readonly status: 'requeued' };

export interface Executor {
  /**
   * Carries a durable run to its end and writes that down. Resolves with the record, or null when the run went back to the queue. Never rejects.
   * When the run's signal fires or its deadline passes, the step in flight is ended by the engine and the run ends at once.
   */
  execute(run: ActiveRun): Promise<RunRecord | null>;
}

export function createExecutor(
  services: StepServices & { readonly store: Store; readonly isStopping: () => boolean },
): Executor {
  const { store, logs } = services;
  const budget = createRetryBudget();
  const persistence = { isStopping: services.isStopping, log: logs.executor };

  async function execute(run: ActiveRun): Promise<RunRecord | null> {
    let ending: Ending;
    try {
      ending = await runSteps(run);
    } catch (error) {
      // Nothing above should throw; if it does, the run still ends, and the line says where to look.
      logs.executor.error(run.ctx, 'the executor failed', {
        'error.message': messageOf(error),
        stack: error instanceof Error ? error.stack : undefined,
      });
      ending = {
        status: 'failed',
        output: null,
        error: runError('PLUGIN_CRASHED', 'the host failed to carry out this run; see its log'),
      };
    }
    if (ending.status === 'requeued') {
      logs.executor.info(run.ctx, 'run returned to the queue', { status: 'queued' });
      return null;
    }
    if (ending.status === 'timed_out') run.endedBy ??= 'deadline';
    run.closeLogs();
    const record = run.end(ending.status, ending.output, ending.error);
    if (!(await writeEnd(run, record))) {
      // Nobody is told of an end that is not on disk: the next start runs the attempt again.
      logs.executor.warn(run.ctx, 'run returned to the queue: its end could not be stored', { status: 'queued' });
      return null;
    }
    services.meters.runEnded(record);
    services.spans?.runEnded(run.ctx, run.internals.parent_span_id, run.accepted, run.workflow.record.name, record);
    logs.executor.log(ending.status === 'succeeded' ? 'info' : 'warn', run.ctx, 'workflow executed', {
      status: record.status,
      duration_ms: record.duration_ms,
      attempt: record.attempt,
      steps: record.steps.length,
      ...(record.error === null ? {} : { 'error.code': record.error.code, 'error.message': record.error.message }),
      ...(record.ended_by === null ? {} : { ended_by: record.ended_by }),
    });
    run.settled(record);
    if (run.dueAt !== null && record.ended_by !== null) void noteEnding(run, performance.now() - run.dueAt);
    return record;
  }

  /** Completes the record when nothing of the cut-off work is left. Whoever waited has been answered; a figure that is lost in a crash is not missed. */
  async function noteEnding(run: ActiveRun, answeredMs: number): Promise<void> {
    const { threadGoneMs, engineKilled } = (await run.workEnd) ?? { threadGoneMs: null, engineKilled: false };
    const ending = {
      answered_after_ms: round(answeredMs),
      thread_gone_after_ms: threadGoneMs === null ? null : round(threadGoneMs),
      engine_killed: engineKilled,
    };
    try {
      await store.runs.noteEnding(run.storeCtx, run.id, ending);
    } catch (error) {
      logs.executor.warn(run.ctx, 'how the run ended could not be stored', { 'error.message': messageOf(error) });
    }
  }

  async function runSteps(run: ActiveRun): Promise<Ending> {
    if (run.workflow.steps.length === 0) return { status: 'succeeded', output: run.snapshot().parameters, error: null };
    let output: JsonValue = null;
    let primaryError: ErrorData | null = null;
    for (const step of run.workflow.steps) {
      const done = run.steps.find((record) => record.id === step.definition.id && record.status === 'succeeded');
      if (done !== undefined) {
        output = done.output;
        continue;
      }
      const spanId = newSpanId();
      const begun = performance.now();
      const result = await runStep(run, step, spanId);
      const record = run.steps.find(({ id }) => id === step.definition.id);
      if (record !== undefined) services.spans?.stepEnded(run.ctx, spanId, begun, record);
      switch (result.kind) {
        case 'succeeded':
          output = result.output;
          break;
        case 'failed':
          // A chain of the original's shape goes on; its first action decides how the run ends.
          if (run.workflow.definition.form !== 'original')
            return { status: 'failed', output: null, error: result.error };
          if (step === run.workflow.steps[0]) primaryError = result.error;
          break;
        case 'timed_out':
          return {
            status: 'timed_out',
            output: null,
            error: runError('DEADLINE_EXCEEDED', deadlineMessage(run, step)),
          };
        case 'cancelled':
          return {
            status: 'cancelled',
            output: null,
            error: runError(
              'CANCELLED',
              `the run was cancelled${run.endedBy === 'disconnect' ? ' because its client disconnected' : ''}`,
            ),
          };
        case 'interrupted':
          if (services.isStopping()) return { status: 'requeued' };
          return {
            status: 'failed',
            output: null,
            error: runError(
              'INTERRUPTED',
              `the attempt of step "${step.definition.id}" was cut off and is not run again`,
            ),
          };
      }
      // The last step is written together with the end of the run.
      if (step !== run.workflow.steps.at(-1) && !(await saveSteps(run))) return { status: 'requeued' };
    }
    return primaryError === null
      ? { status: 'succeeded', output, error: null }
      : { status: 'failed', output: null, error: primaryError };
  }

  async function runStep(run: ActiveRun, step: CompiledStep, stepSpanId: string): Promise<StepResult> {
    const policy = step.definition.retry ?? run.workflow.definition.retry ?? NO_RETRY;
    const deadline = Math.min(
      run.ctx.deadline,
      step.definition.timeout === undefined
        ? Number.POSITIVE_INFINITY
        : performance.now() + step.definition.timeout * 1000,
    );
    const begun = performance.now();
    const before = run.steps.findIndex((record) => record.id === step.definition.id);
    const index = before === -1 ? run.steps.length : before;
    // An attempt that a restart cut off counts, but does not use up the retries.
    const first = before === -1 ? 1 : (run.steps[before] as StepRecord).attempt + 1;
    const startedAt = new Date().toISOString();
    let number = first;
    let attemptBegun = begun;
    const earlier = run.trail.retriesOf(step.definition.id);
    const attempt: Attempt = {
      deadline,
      stepSpanId,
      get number() {
        return number;
      },
      restart() {
        run.trail.retried(step.definition.id, number, attemptBegun, 'INTERRUPTED', 0);
        attemptBegun = performance.now();
        number += 1;
        run.steps[index] = { ...(run.steps[index] as StepRecord), attempt: number };
        run.emitState();
        // The engine does not wait for this, so a crash within this moment gives the number a second time.
        void saveSteps(run);
      },
    };
    // A restart during the pause before a retry does not shorten it.
    if (before !== -1 && run.steps[before]?.status === 'failed')
      await pause(Math.max(0, Math.min(earlier.dueAt - Date.now(), deadline - performance.now())), run.signal);
    for (let tries = earlier.used + 1; ; tries += 1, number += 1) {
      run.steps[index] = stepRecord(step, number, startedAt);
      run.emitState();
      // The first attempt of a first life is implied by what was stored before; every later one is written before it begins, so that a crash cuts
      // off an attempt that the next life knows of, and no number is given twice.
      if (number > 1 && !(await saveSteps(run))) return { kind: 'interrupted', action: null };
      attemptBegun = performance.now();
      const over = overdue(run, deadline);
      const result: StepResult =
        over === null ? await attemptStep(services, run, step, attempt) : { kind: over.over, action: null };
      run.steps[index] = finishedRecord(run.steps[index] as StepRecord, result, begun);
      if (tries === 1 && result.action !== null) budget.called(run.ctx.tenantId, result.action.plugin.manifest.name);
      if (result.kind !== 'failed' || !isRetryable(result.error) || tries >= policy.max_attempts) return result;
      const plugin = result.action?.plugin.manifest.name ?? '';
      const delay = Math.max(
        retryDelay(policy, tries + 1, result.error, result.askedMs),
        budget.take(run.ctx.tenantId, plugin),
      );
      if (performance.now() + delay >= deadline) {
        budget.giveBack(run.ctx.tenantId, plugin);
        return result;
      }
      services.meters.stepRetried();
      run.trail.retried(step.definition.id, number, attemptBegun, result.error.code, delay);
      logs.executor.info(run.ctx, 'step will be retried', {
        step_id: step.definition.id,
        attempt: number,
        delay_ms: Math.round(delay),
        'error.code': result.error.code,
      });
      // Durable before the pause: a restart during it makes the next attempt, not the first one again.
      if (!(await saveSteps(run))) return { kind: 'interrupted', action: result.action };
      await pause(delay, run.signal);
      // Nothing is in flight: the next start makes this attempt.
      if (services.isStopping() && !run.signal.aborted) return { kind: 'interrupted', action: result.action };
    }
  }

  /** Whether the steps are on disk, or the run has to end now anyway; false: the host stops. */
  async function saveSteps(run: ActiveRun): Promise<boolean> {
    const obsolete = () => run.signal.aborted || remainingMs(run.ctx) === 0;
    const write = async () => {
      await store.runs.saveStep(run.storeCtx, run.id, run.steps, run.trail.record());
      return true;
    };
    return (await persist(persistence, run, { what: 'the steps of the run', write, obsolete })) ?? obsolete();
  }

  /** The end has to be written; while the store is away the run stays open. False: the host stops before that. */
  async function writeEnd(run: ActiveRun, record: RunRecord): Promise<boolean> {
    const lines = run.takeLogs();
    const write = () => store.runs.finish(run.storeCtx, record, lines);
    return (await persist(persistence, run, { what: 'the end of the run', write })) !== null;
  }

  return { execute };
}

function deadlineMessage(run: ActiveRun, step: CompiledStep): string {
  const whole = remainingMs(run.ctx) === 0;
  return whole
    ? `the run took longer than its execution_timeout of ${run.workflow.definition.execution_timeout} s`
    : `step "${step.definition.id}" took longer than its deadline (the least of the step's timeout and the action's timeout_ms)`;
}

function stepRecord(step: CompiledStep, attempt: number, startedAt: string): StepRecord {
  return {
    id: step.definition.id,
    action: step.definition.action,
    plugin: null,
    plugin_version: null,
    plugin_digest: null,
    status: 'running',
    started_at: startedAt,
    finished_at: null,
    duration_ms: null,
    attempt,
    output: null,
    error: null,
  };
}

function finishedRecord(record: StepRecord, result: StepResult, begun: number): StepRecord {
  const { action } = result;
  return {
    ...record,
    plugin: action?.plugin.manifest.name ?? null,
    plugin_version: action?.plugin.manifest.version ?? null,
    plugin_digest: action?.plugin.digest ?? null,
    status: result.kind === 'interrupted' ? 'failed' : result.kind,
    finished_at: new Date().toISOString(),
    duration_ms: round(performance.now() - begun),
    output: result.kind === 'succeeded' ? result.output : null,
    error: result.kind === 'failed' ? result.error : endError(result.kind),
  };
}

function endError(kind: Exclude<StepResult['kind'], 'failed'>): ErrorData | null {
  switch (kind) {
    case 'succeeded':
      return null;
    case 'timed_out':
      return runError('DEADLINE_EXCEEDED', 'the deadline passed');
    case 'cancelled':
      return runError('CANCELLED', 'the run was cancelled');
    case 'interrupted':
      return runError('INTERRUPTED', 'the attempt was cut off');
  }
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
