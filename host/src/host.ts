import { createBroker, createEngine, parseAllowPrivate, type AllowPrivate } from '@goflow/plugin-sdk/runtime';
import { createAuth, type Auth } from './auth/auth.ts';
import { createOidc, type Oidc } from './auth/oidc.ts';
import { createRateLimits } from './auth/rate-limits.ts';
import { createBackups } from './backup/create-backup.ts';
import { ConfigError, type HostConfig } from './core/config.ts';
import { systemContext } from './core/context.ts';
import { checkPluginsDir, makeDataDir } from './core/folders.ts';
import { messageOf } from './core/errors.ts';
import type { Logging } from './core/log.ts';
import { VERSION } from './core/version.ts';
import { createCredentials, type Credentials } from './credential/credentials.ts';
import { createHttpApp } from './http/app.ts';
import type { Route } from './http/route.ts';
import { startServer } from './http/server.ts';
import { watchEventLoop } from './metrics/event-loop.ts';
import { hostFamilies } from './metrics/host-families.ts';
import { createRunMeters } from './metrics/run-meters.ts';
import { firstPartyDigests } from './plugin/first-party.ts';
import { createPlugins } from './plugin/plugins.ts';
import { makeRevocable } from './plugin/revocable-engine.ts';
import { openTrust } from './plugin/trust.ts';
import type { Plugins } from './plugin/types.ts';
import type { ActiveRun } from './run/active-run.ts';
import { createAdmission } from './run/admission.ts';
import { createExecutor } from './run/executor.ts';
import { flushLogsEvery } from './run/log-flush.ts';
import { recoverRuns } from './run/recovery.ts';
import { keepRetention } from './run/retention.ts';
import { createRuns } from './run/runs.ts';
import type { Runs } from './run/types.ts';
import { createScheduler, type Scheduler } from './schedule/scheduler.ts';
import { openSqliteStore } from './store/sqlite/open.ts';
import { openTracing } from './tracing/open.ts';
import { createRunSpans } from './tracing/run-spans.ts';
import { createSealedStorage } from './vault/sealed-storage.ts';
import { openVault } from './vault/vault.ts';
import type { Workflows } from './workflow/types.ts';
import { createWorkflows } from './workflow/workflows.ts';

export interface HostOptions {
  /** Routes besides the API's: `goflow dev` has some. */
  readonly extraRoutes?: readonly Route[];
}

/** A running host. */
export interface Host {
  readonly url: string;
  readonly logging: Logging;
  readonly workflows: Workflows;
  readonly runs: Runs;
  readonly plugins: Plugins;
  readonly credentials: Credentials;
  readonly scheduler: Scheduler;
  /**
   * Takes no new work, lets runs in flight finish for at most `drainMs` milliseconds, leaves the rest in the queue for the next start, and ends every
   * thread, process and socket. Called a second time, it gives the same promise.
   */
  close(drainMs: number): Promise<void>;
}

const LOG_FLUSH_MS = 1000;
/** For answering what was asked before the drain ended. */
const LAST_ANSWERS_MS = 500;

/**
 * Starts a host: the only place where the rooms are wired to each other. Resolves when it listens; what had been started is ended again when something
 * fails.
 * @throws ConfigError, or an error whose message says what to do
 */
export async function createHost(config: HostConfig, logging: Logging, options: HostOptions = {}): Promise<Host> {
  const started = performance.now();
  const log = logging.for('host');
  const allowPrivate = readAllowPrivate(config.egressAllowPrivate);
  await checkPluginsDir(config.pluginsDir);
  await makeDataDir(config.dataDir);
  await using undo = new AsyncDisposableStack();

  // The engine's process starts while the database opens.
  const engine = createEngine({
    spare: 'while-used',
    log: (level, message, fields) => logging.for('sandbox').log(level, null, message, fields),
  });
  undo.defer(() => engine.shutdown());
  // Counting calls by bundle costs each a little; only a host that can revoke needs it.
  const revocable = config.revoked === undefined ? { engine, endCalls: () => {} } : makeRevocable(engine);
  const store = await openSqliteStore({ dataDir: config.dataDir, log: logging.for('store') });
  undo.defer(() => store.close());
  const vault = await openVault({
    dataDir: config.dataDir,
    masterKey: config.masterKey,
    store,
    log: logging.for('store'),
  });
  const auth = createAuth({
    store,
    adminKey: config.adminKey,
    loopback: isLoopback(config.host),
    log: logging.for('auth'),
    ...oidcOf(config, logging),
  });
  await refuseOpenToTheWorld(config, auth);

  const broker = createBroker({
    allowPrivate,
    storage: createSealedStorage(store.storage, vault),
  });
  undo.defer(() => broker.close());
  const plugins = await createPlugins({
    store,
    engine,
    log: logging.for('plugin'),
    pluginsDir: config.pluginsDir,
    dataDir: config.dataDir,
    firstPartyDigests: firstPartyDigests(),
    trust: openTrust(config, logging.for('plugin')),
    onRevoked: (digests) => revocable.endCalls(digests),
  });
  undo.defer(() => plugins.close());
  const credentials = createCredentials({ store, vault, plugins, log: logging.for('auth') });

  let stopping = false;
  const active = new Map<string, ActiveRun>();
  const meters = createRunMeters();
  const tracing = await openTracing(process.env, VERSION, logging.for('host'));
  undo.defer(async () => tracing?.close());
  const eventLoop = watchEventLoop();
  undo.defer(() => eventLoop.stop());
  const steps = {
    plugins,
    credentials,
    engine: revocable.engine,
    broker,
    meters,
    spans: tracing === null ? null : createRunSpans(tracing),
    logs: {
      plugin: logging.for('plugin'),
      sandbox: logging.for('sandbox'),
      broker: logging.for('broker'),
      executor: logging.for('executor'),
    },
  };
  const executor = createExecutor({ ...steps, store, isStopping: () => stopping });
  const admission = createAdmission({ running: config.maxRunning, queuedPerTenant: config.maxQueued });
  const runServices = { store, vault, executor, admission, active, steps, isStopping: () => stopping };
  const runs = createRuns(runServices);
  const workflows = createWorkflows({
    store,
    plugins,
    vault,
    watch: {
      changed: (workflow) => scheduler.changed(workflow),
      removed: (tenantId, id) => scheduler.removed(tenantId, id),
    },
  });
  const scheduler = createScheduler({ schedules: store.schedules, workflows, runs, log: logging.for('scheduler') });
  undo.defer(() => scheduler.close());
  undo.defer(
    keepRetention(store, { days: config.runRetentionDays, count: config.runRetentionCount }, logging.for('store')),
  );
  undo.defer(flushLogsEvery(LOG_FLUSH_MS, store, active, logging.for('executor')));

  const app = createHttpApp({
    workflows,
    runs,
    plugins,
    credentials,
    auth,
    store,
    backups: createBackups({ store, dataDir: config.dataDir }),
    log: logging.for('http'),
    logging,
    tracer: tracing,
    rateLimits: createRateLimits({ perKey: config.rateLimit, perTenant: config.rateLimitTenant }),
    config: { maxBody: config.maxBody },
    health: {
      live: () => ({ process: { ok: true } }),
      ready: () => ({
        accepting: stopping ? { ok: false, detail: 'the host is shutting down' } : { ok: true },
        engine: engineHealth(engine.stats().engines.length),
        ...circuitHealth(broker.circuits().open.length),
      }),
    },
    metrics: () => [
      ...meters.families(),
      ...hostFamilies({
        version: VERSION,
        admission,
        engine,
        broker,
        pluginStates: () => plugins.list('default').map(({ state }) => state),
      }),
      ...(store.metrics?.() ?? []),
      ...eventLoop.families(),
    ],
    ...(options.extraRoutes === undefined ? {} : { extraRoutes: options.extraRoutes }),
  });
  const setGoing = await recoverRuns(runServices, systemContext());
  const server = await startServer({ host: config.host, port: config.port, app, log: logging.for('http') });
  undo.defer(() => server.close(LAST_ANSWERS_MS));
  setGoing();
  await engine.ready();
  // Not waited for: with many thousands of them it takes a second.
  scheduler.start().catch((error: unknown) => {
    logging.for('scheduler').error(null, 'schedules could not be read', { 'error.message': messageOf(error) });
  });
  log.info(null, 'host ready', { url: server.url, duration_ms: Math.round(performance.now() - started) });

  const disposal = undo.move();
  let closing: Promise<void> | undefined;
  async function close(drainMs: number): Promise<void> {
    stopping = true;
    await scheduler.close();
    await drained(active, drainMs);
    const left = active.size;
    if (left > 0) log.warn(null, 'runs returned to the queue', { runs: left });
    // Whoever waits for one of them has its 202 now, so that no connection holds up the end.
    for (const run of active.values()) run.handBack();
    // The server first: its last answers need the rest.
    await server.close(LAST_ANSWERS_MS);
    await engine.shutdown();
    await disposal.disposeAsync();
  }
  return {
    url: server.url,
    logging,
    workflows,
    runs,
    plugins,
    credentials,
    scheduler,
    close: (drainMs) => (closing ??= close(drainMs)),
  };
}

function readAllowPrivate(text: string): AllowPrivate {
  try {
    return parseAllowPrivate(text);
  } catch (error) {
    throw new ConfigError(`GOFLOW_EGRESS_ALLOW_PRIVATE: ${messageOf(error)}`);
  }
}

function oidcOf(config: HostConfig, logging: Logging): { readonly oidc?: Oidc } {
  const { oidcIssuer: issuer, oidcAudience: audience } = config;
  if (issuer === undefined || audience === undefined) return {};
  const { oidcTenantClaim: tenantClaim, oidcRoleClaim: roleClaim } = config;
  return { oidc: createOidc({ issuer, audience, tenantClaim, roleClaim }, logging.for('auth')) };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

async function refuseOpenToTheWorld(config: HostConfig, auth: Auth): Promise<void> {
  if ((await auth.mode(systemContext())) !== 'locked') return;
  throw new ConfigError(
    `GOFLOW_HOST: "${config.host}" is not a loopback address and no API key exists; set GOFLOW_ADMIN_KEY, or listen on 127.0.0.1`,
  );
}

function engineHealth(engines: number): { readonly ok: boolean; readonly detail?: string } {
  return engines > 0 ? { ok: true } : { ok: false, detail: 'no engine process runs; one is being started' };
}

/** Other people's services that are down do not make this host unfit for work; it is worth a line. */
function circuitHealth(open: number): { readonly circuits?: { readonly ok: boolean; readonly detail: string } } {
  return open === 0
    ? {}
    : { circuits: { ok: true, detail: `${open} outside hosts fail and are left alone for a moment` } };
}

/** Resolves when no run is in hand, or when the time is over. */
async function drained(active: ReadonlyMap<string, ActiveRun>, drainMs: number): Promise<void> {
  const deadline = performance.now() + drainMs;
  while (active.size > 0) {
    const left = deadline - performance.now();
    if (left <= 0) return;
    const [run] = active.values();
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([run?.done, new Promise((resolve) => (timer = setTimeout(resolve, left)))]);
    clearTimeout(timer);
    // Runs leave the map a turn after they have ended.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
