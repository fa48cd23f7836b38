import type { EgressRecord } from '@goflow/plugin-sdk/runtime';
import {
  MAX_RUN_EGRESS,
  MAX_RUN_RETRIES,
  type EgressEntry,
  type RetryEntry,
  type RunTrailRecord,
} from '../core/records.ts';

/** What a run reached and where it had to begin again, in the order of time; both bounded. Goes into the run's record with its end. */
export class RunTrail {
  readonly #egress: EgressEntry[];
  readonly #retries: RetryEntry[];
  #dropped: number;

  /** `before`: what an earlier life of the host stored. */
  constructor(before: RunTrailRecord) {
    this.#egress = [...(before.egress ?? [])];
    this.#retries = [...(before.retries ?? [])];
    this.#dropped = before.egress_dropped ?? 0;
  }

  /** `mask` takes secrets out of what a connector may have put into a host name. */
  egressFinished(stepId: string, attempt: number, record: EgressRecord, mask: (text: string) => string): void {
    if (this.#egress.length >= MAX_RUN_EGRESS) {
      this.#dropped += 1;
      return;
    }
    const { error } = record;
    this.#egress.push({
      step_id: stepId,
      attempt,
      kind: record.kind,
      method: record.method,
      host: mask(record.host),
      port: record.port,
      address: record.address,
      rule: mask(record.rule),
      status: record.status,
      bytes_sent: record.bytesSent,
      bytes_received: record.bytesReceived,
      started_at: new Date(Date.now() - record.durationMs).toISOString(),
      duration_ms: round(record.durationMs),
      error: error === null ? null : { code: error.code, message: mask(error.message) },
    });
  }

  /** An attempt has ended and another will follow after `waitMs`. `begun` is of `performance.now()`. */
  retried(stepId: string, attempt: number, begun: number, code: string, waitMs: number): void {
    if (this.#retries.length >= MAX_RUN_RETRIES) return;
    const durationMs = performance.now() - begun;
    this.#retries.push({
      step_id: stepId,
      attempt,
      started_at: new Date(Date.now() - durationMs).toISOString(),
      duration_ms: round(durationMs),
      code,
      wait_ms: round(waitMs),
    });
  }

  /** How many retries of a step were made or are due, those of cut-off attempts not counted, and when the last of them is due (ms since the epoch; 0: none). */
  retriesOf(stepId: string): { readonly used: number; readonly dueAt: number } {
    const own = this.#retries.filter((entry) => entry.step_id === stepId && entry.code !== 'INTERRUPTED');
    const last = own.at(-1);
    const dueAt = last === undefined ? 0 : Date.parse(last.started_at) + last.duration_ms + last.wait_ms;
    return { used: own.length, dueAt };
  }

  record(): RunTrailRecord {
    return {
      egress: [...this.#egress],
      ...(this.#dropped === 0 ? {} : { egress_dropped: this.#dropped }),
      retries: [...this.#retries],
    };
  }
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
