import { RUN_ERRORS } from '@goflow/plugin-sdk/contract';
import type { EgressRecord } from '@goflow/plugin-sdk/runtime';
import { ENDED_STATUSES, type RunRecord, type TriggerInfo } from '../core/records.ts';
import { labelText, type MetricFamily } from './family.ts';
import { COARSE_SECONDS, Histogram, SECONDS } from './histogram.ts';
import { CounterBy, Labelled } from './labelled.ts';

/** What the run room tells, as it happens. Plain additions: together less than a microsecond a run. */
export interface RunMeters {
  runAccepted(trigger: TriggerInfo['type']): void;
  /** A run that waited in the queue was started. */
  runStarted(waitedMs: number): void;
  runEnded(run: RunRecord): void;
  stepRetried(): void;
  /** One attempt of a step was carried out by a plugin. `status` is one of a few fixed words. */
  actionFinished(plugin: string, action: string, status: string, durationMs: number): void;
  egressFinished(plugin: string, record: EgressRecord): void;
  families(): readonly MetricFamily[];
}

/** Pairs of plugin and action that have series of their own. */
const MAX_ACTIONS = 4000;
const MAX_PLUGINS = 2000;

interface ActionSeries {
  readonly calls: CounterBy;
  readonly duration: Histogram;
}

interface EgressSeries {
  readonly requests: CounterBy;
  readonly text: string;
  seconds: number;
  sent: number;
  received: number;
}

export function createRunMeters(): RunMeters {
  const accepted = new CounterBy('trigger');
  const ended = new CounterBy('status');
  for (const status of ENDED_STATUSES) ended.add(status, 0);
  const reasons = new CounterBy('reason');
  const durations = new Map(ENDED_STATUSES.map((status) => [status as string, new Histogram(SECONDS, { status })]));
  const waits = new Histogram(SECONDS);
  let retries = 0;
  const actions = new Labelled<ActionSeries>(MAX_ACTIONS, (plugin, action) => ({
    calls: new CounterBy('status', { plugin, action }),
    duration: new Histogram(COARSE_SECONDS, { plugin, action }),
  }));
  const egress = new Labelled<EgressSeries>(MAX_PLUGINS, (plugin) => ({
    requests: new CounterBy('status', { plugin }),
    text: labelText({ plugin }),
    seconds: 0,
    sent: 0,
    received: 0,
  }));

  return {
    runAccepted: (trigger) => accepted.add(trigger),
    runStarted: (waitedMs) => waits.observe(waitedMs / 1000),
    runEnded(run) {
      ended.add(run.status);
      reasons.add(reasonOf(run));
      durations.get(run.status)?.observe((run.duration_ms ?? 0) / 1000);
    },
    stepRetried: () => void (retries += 1),
    actionFinished(plugin, action, status, durationMs) {
      const series = actions.get(plugin, action);
      series.calls.add(status);
      series.duration.observe(durationMs / 1000);
    },
    egressFinished(plugin, record) {
      const series = egress.get(plugin);
      series.requests.add(egressStatus(record));
      series.seconds += record.durationMs / 1000;
      series.sent += record.bytesSent;
      series.received += record.bytesReceived;
    },
    families() {
      const calls = [...actions.values()];
      const doors = [...egress.values()];
      const perPlugin = (name: string, help: string, valueOf: (door: EgressSeries) => number): MetricFamily => ({
        name,
        help,
        type: 'counter',
        hostWide: true,
        samples: doors.map((door) => ({ labels: door.text, value: valueOf(door) })),
      });
      return [
        {
          name: 'goflow_runs_accepted_total',
          help: 'Runs that were made durable, by what triggered them.',
          type: 'counter',
          samples: accepted.samples(),
        },
        {
          name: 'goflow_runs_total',
          help: 'Runs that have ended, by status.',
          type: 'counter',
          samples: ended.samples(),
        },
        {
          name: 'goflow_run_ends_total',
          help: 'Runs that have ended, by reason: success, an error code of docs/errors.md, or cancel, disconnect, restart.',
          type: 'counter',
          samples: reasons.samples(),
        },
        {
          name: 'goflow_run_duration_seconds',
          help: 'Time from accepting a run to its end, queueing included.',
          type: 'histogram',
          samples: [...durations.values()].flatMap((duration) => duration.samples()),
        },
        {
          name: 'goflow_run_queue_duration_seconds',
          help: 'Time that runs waited for a free place.',
          type: 'histogram',
          samples: waits.samples(),
        },
        {
          name: 'goflow_step_retries_total',
          help: 'Attempts of steps after the first.',
          type: 'counter',
          samples: [{ value: retries }],
        },
        {
          name: 'goflow_action_calls_total',
          help: 'Calls of plugin actions, by how they ended.',
          type: 'counter',
          hostWide: true,
          samples: calls.flatMap((series) => series.calls.samples()),
        },
        {
          name: 'goflow_action_duration_seconds',
          help: 'Time of one call of a plugin action.',
          type: 'histogram',
          hostWide: true,
          samples: calls.flatMap((series) => series.duration.samples()),
        },
        {
          name: 'goflow_egress_requests_total',
          help: 'Outgoing requests and connections of plugins, by class of HTTP status, or connected, refused, failed.',
          type: 'counter',
          hostWide: true,
          samples: doors.flatMap((door) => door.requests.samples()),
        },
        perPlugin('goflow_egress_duration_seconds_total', 'Time spent in outgoing requests.', (door) => door.seconds),
        perPlugin('goflow_egress_sent_bytes_total', 'Bytes of bodies and connections sent.', (door) => door.sent),
        perPlugin(
          'goflow_egress_received_bytes_total',
          'Bytes of bodies and connections received.',
          (door) => door.received,
        ),
      ];
    },
  };
}

/** Codes that connectors make up are the authors' own, and without number. */
function reasonOf(run: RunRecord): string {
  if (run.error === null) return 'success';
  if (run.ended_by !== null && run.ended_by !== 'deadline') return run.ended_by;
  return Object.hasOwn(RUN_ERRORS, run.error.code) ? run.error.code : 'CONNECTOR_ERROR';
}

function egressStatus(record: EgressRecord): string {
  if (record.error !== null) return record.error.code === 'EGRESS_DENIED' ? 'refused' : 'failed';
  return record.status === null ? 'connected' : `${Math.floor(record.status / 100)}xx`;
}
