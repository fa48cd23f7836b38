import type { RunRecord, RunStatus, StepRecord } from '../core/records.ts';

/** One stretch of a run's time. `offset_ms` counts from its acceptance. */
export interface TimelineEvent {
  readonly kind: 'queued' | 'step' | 'attempt' | 'pause' | 'request';
  readonly step_id: string | null;
  readonly attempt: number | null;
  readonly offset_ms: number;
  /** Null: it goes on. */
  readonly duration_ms: number | null;
  readonly status: string | null;
  /** Error code. */
  readonly code: string | null;
  /** What was called or reached. */
  readonly target: string | null;
}

/** Where the time went. The parts are disjoint and add up to `used_ms`. */
export interface TimeBudget {
  /** `execution_timeout`; null when the version of the workflow is gone. */
  readonly total_ms: number | null;
  readonly used_ms: number;
  /** Never below 0. */
  readonly left_ms: number | null;
  readonly queued_ms: number;
  /** Within attempts, waiting for at least one outgoing request. */
  readonly requests_ms: number;
  /** Within attempts, the rest: the connector itself. */
  readonly connectors_ms: number;
  readonly pauses_ms: number;
  /** The host: rendering, checking, storing. */
  readonly host_ms: number;
}

export interface RunTimeline {
  readonly run_id: string;
  readonly trace_id: string;
  readonly status: RunStatus;
  readonly created_at: string;
  readonly duration_ms: number | null;
  readonly budget: TimeBudget;
  /** By offset; what contains another comes before it. */
  readonly events: readonly TimelineEvent[];
  /** Outgoing requests beyond those that a run keeps. */
  readonly requests_dropped: number;
}

interface Interval {
  readonly from: number;
  readonly to: number;
}

const ORDER = { queued: 0, step: 1, attempt: 2, pause: 3, request: 4 } as const;

/** The timeline of a run, out of its record alone. `now` stands for the end of what goes on, in milliseconds since the epoch. */
export function timelineOf(run: RunRecord, totalMs: number | null, now: number = Date.now()): RunTimeline {
  const began = Date.parse(run.created_at);
  const used = run.duration_ms ?? Math.max(0, now - began);
  const events: TimelineEvent[] = [];
  // A run that found a free place was started in the moment of its acceptance.
  const queuedMs = run.started_at === null ? used : Math.max(0, Date.parse(run.started_at) - began);
  if (queuedMs > 0)
    events.push(event('queued', 0, run.started_at === null && run.finished_at === null ? null : queuedMs));
  for (const step of run.steps) events.push(...stepEvents(run, step, began));
  for (const entry of run.egress ?? []) {
    events.push({
      ...event('request', Date.parse(entry.started_at) - began, entry.duration_ms),
      step_id: entry.step_id,
      attempt: entry.attempt,
      status: entry.status === null ? null : String(entry.status),
      code: entry.error?.code ?? null,
      target: `${entry.method ?? entry.kind} ${entry.host}:${entry.port}`,
    });
  }
  events.sort((a, b) => a.offset_ms - b.offset_ms || ORDER[a.kind] - ORDER[b.kind]);
  return {
    run_id: run.id,
    trace_id: run.trace_id,
    status: run.status,
    created_at: run.created_at,
    duration_ms: run.duration_ms,
    budget: budgetOf(events, used, totalMs),
    events,
    requests_dropped: run.egress_dropped ?? 0,
  };
}

function event(kind: TimelineEvent['kind'], offset: number, duration: number | null): TimelineEvent {
  return {
    kind,
    step_id: null,
    attempt: null,
    // The clock's milliseconds may put the start of something before that of what it is part of.
    offset_ms: round(Math.max(0, offset)),
    duration_ms: duration === null ? null : round(duration),
    status: null,
    code: null,
    target: null,
  };
}

function stepEvents(run: RunRecord, step: StepRecord, began: number): TimelineEvent[] {
  if (step.started_at === null) return [];
  const start = Date.parse(step.started_at) - began;
  const end = step.duration_ms === null ? null : start + step.duration_ms;
  const about = { step_id: step.id, target: step.plugin === null ? step.action : `${step.plugin}/${step.action}` };
  const ended = { status: step.status, code: step.error?.code ?? null };
  const events: TimelineEvent[] = [
    { ...event('step', start, step.duration_ms), ...about, ...ended, attempt: step.attempt },
  ];
  let last = start;
  for (const retry of (run.retries ?? []).filter((entry) => entry.step_id === step.id)) {
    const offset = Date.parse(retry.started_at) - began;
    const { attempt, code, wait_ms: waitMs, duration_ms: durationMs } = retry;
    events.push({ ...event('attempt', offset, durationMs), ...about, attempt, status: 'failed', code });
    if (waitMs > 0) events.push({ ...event('pause', offset + durationMs, waitMs), step_id: step.id, attempt });
    last = offset + durationMs + waitMs;
  }
  events.push({
    ...event('attempt', last, end === null ? null : Math.max(0, end - last)),
    ...about,
    ...ended,
    attempt: step.attempt,
  });
  return events;
}

function budgetOf(events: readonly TimelineEvent[], used: number, total: number | null): TimeBudget {
  const of = (kind: TimelineEvent['kind']): Interval[] =>
    events
      .filter((one) => one.kind === kind)
      .map(({ offset_ms: from, duration_ms: ms }) => ({ from, to: Math.min(used, ms === null ? used : from + ms) }));
  const queued = covered(of('queued'));
  const attempts = of('attempt');
  const requests = covered(of('request').flatMap((request) => attempts.map((attempt) => overlap(request, attempt))));
  const inAttempts = covered(attempts);
  const pauses = covered(of('pause'));
  return {
    total_ms: total,
    used_ms: round(used),
    left_ms: total === null ? null : round(Math.max(0, total - used)),
    queued_ms: round(queued),
    requests_ms: round(requests),
    connectors_ms: round(inAttempts - requests),
    pauses_ms: round(pauses),
    host_ms: round(Math.max(0, used - queued - inAttempts - pauses)),
  };
}

function overlap(a: Interval, b: Interval): Interval {
  return { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) };
}

/** How much time lies in at least one of the intervals. */
function covered(intervals: readonly Interval[]): number {
  let sum = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const { from, to } of intervals.toSorted((a, b) => a.from - b.from)) {
    sum += Math.max(0, to - Math.max(from, reached));
    reached = Math.max(reached, to);
  }
  return sum;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
