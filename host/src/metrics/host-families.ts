import type { Broker, Engine } from '@goflow/plugin-sdk/runtime';
import { counter, gauge, type MetricFamily } from './family.ts';

/** What the host looks up when it is asked, so that it costs nothing in between. */
export interface HostFigures {
  readonly version: string;
  readonly admission: { readonly running: number; readonly queued: number };
  readonly engine: Pick<Engine, 'stats'>;
  readonly broker: Pick<Broker, 'circuits'>;
  /** State of each installed plugin. */
  pluginStates(): Iterable<string>;
}

export function hostFamilies(figures: HostFigures): readonly MetricFamily[] {
  const { restarts, engines } = figures.engine.stats();
  const circuits = figures.broker.circuits();
  const pools = engines.flatMap((engine) => engine.pools);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const states = new Map<string, number>();
  for (const state of figures.pluginStates()) states.set(state, (states.get(state) ?? 0) + 1);
  return [
    {
      name: 'goflow_build_info',
      help: 'Always 1; the labels say which version runs.',
      type: 'gauge',
      samples: [{ labels: { version: figures.version, node: process.version }, value: 1 }],
    },
    gauge('goflow_runs_running', 'Runs in hand.', figures.admission.running),
    gauge('goflow_runs_queued', 'Runs that wait for a free place.', figures.admission.queued),
    {
      name: 'goflow_plugins',
      help: 'Installed plugins, by state.',
      type: 'gauge',
      samples: Array.from(states, ([state, value]) => ({ labels: { state }, value })),
    },
    gauge(
      'goflow_circuits_open',
      'Hosts that are left alone for a moment, per tenant and plugin.',
      circuits.open.length,
    ),
    counter('goflow_circuit_opens_total', 'Times that a host began to be left alone.', circuits.opened),
    counter(
      'goflow_circuit_refusals_total',
      'Outgoing requests refused because their host is left alone.',
      circuits.refused,
    ),
    counter('goflow_engine_restarts_total', 'Engine processes that ended without being asked to.', restarts),
    gauge('goflow_engine_processes', 'Engine processes that run, spares included.', engines.length),
    gauge(
      'goflow_engine_resident_memory_bytes',
      'Resident memory of all engine processes.',
      sum(engines.map(({ rss }) => rss)),
    ),
    gauge('goflow_engine_pools', 'Pools of worker threads: one for each bundle in use.', pools.length),
    gauge('goflow_engine_threads', 'Worker threads.', sum(pools.map(({ threads }) => threads))),
    gauge('goflow_engine_calls', 'Calls on worker threads.', sum(pools.map(({ calls }) => calls))),
  ];
}
