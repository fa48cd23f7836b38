import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { buildConnector } from '../support/connector.ts';
import { startHost, tempDir, until, type HostProcess, type Json } from '../support/host-process.ts';
import { killTree } from '../support/kill-tree.ts';
import { allRuns, createLoadClient } from './client.ts';
import { brokenPromises } from './ledgers.ts';
import { seeded } from './random.ts';
import { reportingConnector, startWitness } from './witness.ts';

export interface KillReport {
  readonly acknowledged: number;
  readonly runs: number;
  /** Attempts that the service saw after the first of their step. */
  readonly repeated: number;
  readonly broken: readonly string[];
}

export interface Prepared {
  readonly witness: Awaited<ReturnType<typeof startWitness>>;
  readonly start: (onSpawn?: (pid: number) => void) => Promise<HostProcess>;
}

const CONNECTIONS = 16;
const WORKFLOWS = [
  { name: 'Quick', action: 'report' },
  { name: 'Slow', action: 'report', config: { ms: 300 } },
  { name: 'Once', action: 'report_once', config: { ms: 50 } },
  { name: 'Flaky', action: 'report', config: { flaky: true }, retry: { max_attempts: 5, backoff_ms: 100 } },
  {
    name: 'Steps',
    steps: [
      { id: 'first', action: 'report', config: { ms: 20 } },
      { id: 'second', action: 'report', config: { ms: 100 } },
    ],
  },
];

/** A data directory with the reporting connector granted, and how to start hosts on it. */
export async function prepare(): Promise<Prepared> {
  const witness = await startWitness();
  const pluginsDir = await tempDir();
  const dataDir = await tempDir();
  const bundle = await buildConnector(reportingConnector(witness.port));
  await copyFile(bundle, path.join(pluginsDir, path.basename(bundle)));
  const env = {
    GOFLOW_EGRESS_ALLOW_PRIVATE: `127.0.0.1:${witness.port}`,
    GOFLOW_LOG_LEVEL: 'warn',
    GOFLOW_LOG_LEVELS: 'host=info',
  };
  const start = (onSpawn?: (pid: number) => void) =>
    startHost({ dataDir, pluginsDir, env, ...(onSpawn === undefined ? {} : { onSpawn }) });
  const host = await start();
  const permissions = { net: [`127.0.0.1:${witness.port}`] };
  const granted = await host.request('PUT', '/api/plugins/reporting/grants', { permissions });
  if (granted.status !== 200) throw new Error(JSON.stringify(granted.body));
  await host.stop();
  return { witness, start };
}

export async function addWorkflow(host: HostProcess, body: object): Promise<string> {
  const made = await host.request('POST', '/api/workflows', {
    parameters: [{ name: 'n', type: 'integer' }],
    ...body,
  });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return made.body.id as string;
}

/**
 * Kills the whole process tree of a host at seeded random moments, some of them while it starts, with triggers of five kinds going on, and joins the
 * ledgers of client, API and service at the end.
 */
export async function killAtRandomMoments(moments: number, seed: number): Promise<KillReport> {
  const random = seeded(seed);
  const { witness, start } = await prepare();
  const client = createLoadClient(random);
  let host = await start();
  const workflows = new Map<string, string>();
  for (const workflow of WORKFLOWS) workflows.set(workflow.name, await addWorkflow(host, workflow));
  for (let kill = 0; kill < moments; kill += 1) {
    const load = client.load(host, [...workflows.values()], CONNECTIONS);
    await delay(20 + random() * 800);
    killTree(host.child.pid as number);
    await host.stop('SIGKILL');
    await load.stop();
    witness.nextLife();
    if (random() < 0.3) {
      kill += 1;
      await killedAtStart(start, random() * 600);
      witness.nextLife();
    }
    host = await start();
  }
  // What has a key and no answer yet is sent once more, until nothing is open.
  const last = client.load(host, [...workflows.values()], CONNECTIONS);
  await delay(200);
  await last.stop();
  await until(
    () => unfinished(host),
    (left) => left === 0,
    60_000,
  );
  const runs = await allRuns(host);
  const { acknowledged, keyed } = client;
  const whole = new Map<string, Json>();
  for (const { run, ended } of acknowledged) {
    if (ended !== null) whole.set(run, (await host.request('GET', `/api/runs/${run}`)).body);
  }
  await host.stop();
  await witness.close();
  const { sightings } = witness;
  const once = new Set([workflows.get('Once') as string]);
  return {
    acknowledged: acknowledged.length,
    runs: runs.length,
    repeated: sightings.filter(({ attempt }) => attempt > 1).length,
    broken: brokenPromises({ acknowledged, keyed, runs, whole, sightings, once }),
  };
}

export async function unfinished(host: HostProcess): Promise<number> {
  const lists = await Promise.all(['queued', 'running'].map((status) => allRuns(host, `&status=${status}`)));
  return lists.flat().length;
}

/** A host that does not live to be ready, or hardly. */
async function killedAtStart(start: Prepared['start'], ms: number): Promise<void> {
  let pid = 0;
  const starting = start((spawned) => (pid = spawned)).catch(() => null);
  await delay(ms);
  killTree(pid);
  const host = await starting;
  await host?.stop('SIGKILL');
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
