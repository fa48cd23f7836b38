import {
  MAX_LOG_CHARS,
  MAX_LOG_LINES,
  type ErrorData,
  type JsonObject,
  type JsonValue,
} from '@goflow/plugin-sdk/contract';
import { newSpanId, withDeadline, withRun, type Context } from '../core/context.ts';
import type { RunInternals, RunLogRecord, RunRecord, RunStatus, StepRecord } from '../core/records.ts';
import type { CompiledWorkflow } from '../workflow/compile.ts';
import type { RunMask } from './masking.ts';
import { RunTrail } from './trail.ts';
import type { RunEvent } from './types.ts';

type EndedBy = NonNullable<RunRecord['ended_by']>;

/** What the engine told of the end of work that was cut off. */
export interface WorkEnd {
  readonly threadGoneMs: number | null;
  readonly engineKilled: boolean;
}

/**
 * A run that has not ended: its state, its logs that are not stored yet, and whoever watches it. Only the executor changes it; the record that
 * others see is a copy of the moment.
 */
export class ActiveRun {
  /** Its span is the run's own, below that of the request that triggered it. */
  readonly ctx: Context;
  /** For the store: a run that was cancelled must still be written down. */
  readonly storeCtx: Context;
  readonly workflow: CompiledWorkflow;
  readonly internals: RunInternals;
  /** Values as they came, secret ones included: they never leave memory but sealed. */
  readonly parameters: JsonObject;
  readonly mask: RunMask;
  readonly trail: RunTrail;
  readonly accepted: number;
  readonly steps: StepRecord[];
  status: RunStatus;
  attempt: number;
  startedAt: string | null;
  endedBy: EndedBy | null = null;
  /** When it was due to be ended from outside, in the milliseconds of `performance.now()`; null while it was not. */
  dueAt: number | null = null;
  /** Resolves when nothing is left of the work that was cut off; null where there was none. */
  workEnd: Promise<WorkEnd> | null = null;

  readonly #base: RunRecord;
  readonly #controller = new AbortController();
  readonly #listeners = new Set<(event: RunEvent) => void>();
  readonly #done = Promise.withResolvers<RunRecord>();
  #handedBack: PromiseWithResolvers<null> | null = null;
  #unsaved: RunLogRecord[] = [];
  #seq: number;
  #dropped = 0;
  #final: RunRecord | null = null;

  constructor(init: {
    readonly ctx: Context;
    readonly record: RunRecord;
    readonly internals: RunInternals;
    readonly workflow: CompiledWorkflow;
    readonly parameters: JsonObject;
    readonly mask: RunMask;
    readonly lastLogSeq?: number;
  }) {
    this.#base = init.record;
    this.accepted = performance.now();
    const deadline = this.accepted + init.workflow.definition.execution_timeout * 1000;
    this.ctx = withDeadline(
      withRun({ ...init.ctx, spanId: newSpanId() }, init.record.workflow_id, init.record.id, this.#controller.signal),
      deadline,
    );
    this.storeCtx = { ...this.ctx, signal: null, deadline: Number.POSITIVE_INFINITY };
    this.workflow = init.workflow;
    this.internals = init.internals;
    this.parameters = init.parameters;
    this.mask = init.mask;
    this.trail = new RunTrail(init.record);
    this.steps = [...init.record.steps];
    this.status = init.record.status;
    this.attempt = init.record.attempt;
    this.startedAt = init.record.started_at;
    this.#seq = init.lastLogSeq ?? 0;
  }

  get id(): string {
    return this.#base.id;
  }

  get createdAt(): string {
    return this.#base.created_at;
  }

  get trigger(): RunRecord['trigger'] {
    return this.#base.trigger;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Resolves with the record once the end is on disk. */
  get done(): Promise<RunRecord> {
    return this.#done.promise;
  }

  /** Resolves when the host stops before the run has ended: nobody needs to wait here any more. */
  get handedBack(): Promise<null> {
    this.#handedBack ??= Promise.withResolvers<null>();
    return this.#handedBack.promise;
  }

  handBack(): void {
    this.#handedBack?.resolve(null);
  }

  /** Whether the end is on disk. */
  get isSettled(): boolean {
    return this.#final !== null;
  }

  /** Asks the run to end; the first reason stays. */
  abort(by: EndedBy): void {
    if (this.#controller.signal.aborted) return;
    this.endedBy = by;
    this.dueAt = performance.now();
    this.#controller.abort('cancelled');
  }

  /** The record as it stands. */
  snapshot(): RunRecord {
    return (
      this.#final ?? {
        ...this.#base,
        status: this.status,
        attempt: this.attempt,
        started_at: this.startedAt,
        steps: [...this.steps],
        ...this.trail.record(),
      }
    );
  }

  /** The record of the end, for the store; it is shown to nobody before it is on disk, because until then a crash begins the run again. */
  end(status: RunStatus, output: JsonValue, error: ErrorData | null): RunRecord {
    const finished = new Date();
    return {
      ...this.snapshot(),
      status,
      output,
      error: error === null ? null : { ...error, details: error.details ?? null },
      finished_at: finished.toISOString(),
      duration_ms: Math.round((performance.now() - this.accepted) * 1000) / 1000,
      ended_by: this.endedBy,
    };
  }

  /** The end is on disk: whoever waits is told, and nothing changes any more. */
  settled(record: RunRecord): void {
    this.#final = record;
    this.#done.resolve(record);
    this.emit({ id: this.#seq + 1, type: 'state', data: record });
    this.#listeners.clear();
  }

  /** Keeps a log line of the connector; past the limit it is only counted. */
  log(
    level: RunLogRecord['level'],
    msg: string,
    stepId: string | null,
    attempt: number,
    fields: JsonObject | null,
  ): void {
    if (this.#seq >= MAX_LOG_LINES) {
      this.#dropped += 1;
      return;
    }
    this.#keep(level, msg, stepId, attempt, fields);
  }

  countDropped(lines: number): void {
    this.#dropped += lines;
  }

  #keep(
    level: RunLogRecord['level'],
    msg: string,
    stepId: string | null,
    attempt: number,
    fields: JsonObject | null,
  ): void {
    this.#seq += 1;
    const line: RunLogRecord = {
      seq: this.#seq,
      timestamp: new Date().toISOString(),
      level,
      msg: msg.length > MAX_LOG_CHARS ? msg.slice(0, MAX_LOG_CHARS) : msg,
      step_id: stepId,
      attempt,
      fields,
    };
    this.#unsaved.push(line);
    this.emit({ id: line.seq, type: 'log', data: line });
  }

  /** Log lines that the store does not have yet; the caller writes them. */
  takeLogs(): readonly RunLogRecord[] {
    const taken = this.#unsaved;
    this.#unsaved = [];
    return taken;
  }

  /** Lines that could not be written after all: they go with the next ones. */
  returnLogs(lines: readonly RunLogRecord[]): void {
    this.#unsaved = [...lines, ...this.#unsaved];
  }

  /** The last line, when lines were dropped. */
  closeLogs(): void {
    if (this.#dropped === 0) return;
    this.#keep(
      'warn',
      `${this.#dropped} more log lines were dropped; a run keeps ${MAX_LOG_LINES}`,
      null,
      this.attempt,
      null,
    );
    this.#dropped = 0;
  }

  get hasUnsavedLogs(): boolean {
    return this.#unsaved.length > 0;
  }

  unsavedLogs(): readonly RunLogRecord[] {
    return this.#unsaved;
  }

  emit(event: RunEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  emitState(): void {
    if (this.#listeners.size > 0) this.emit({ id: this.#seq, type: 'state', data: this.snapshot() });
  }

  emitProgress(stepId: string, fraction: number, message: string | null): void {
    this.emit({ id: this.#seq, type: 'progress', data: { step_id: stepId, fraction, message } });
  }

  /** Watches the run; returns how to stop. */
  listen(listener: (event: RunEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
