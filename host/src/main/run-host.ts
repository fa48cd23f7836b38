import { ConfigError, type HostConfig } from '../core/config.ts';
import { createLogging } from '../core/log.ts';
import { messageOf } from '../core/errors.ts';
import { createHost, type Host, type HostOptions } from '../host.ts';

/** Ctrl-C in a terminal reaches the host twice: from the terminal, and passed on by npm. Within this time it is one signal. */
const SAME_SIGNAL_MS = 500;

/**
 * Runs a host until SIGTERM or SIGINT; gives the exit status. The first signal drains: readiness goes 503, nothing new is taken, runs in flight finish
 * within the drain time, the rest goes back to the queue. A second signal ends at once.
 * @param whenReady called once the host listens
 */
export async function runHost(
  config: HostConfig,
  options: HostOptions = {},
  whenReady?: (host: Host) => Promise<void>,
): Promise<number> {
  const logging = createLogging({ level: config.logLevel, levels: config.logLevels });
  const log = logging.for('host');
  process.on('uncaughtException', (error) => {
    // A defect of the host: what is durable is safe, and a restart takes it up.
    log.fatal(null, 'uncaught exception', { 'error.message': error.message, stack: error.stack });
    logging.flush();
    process.exit(1);
  });
  const stop = Promise.withResolvers<string>();
  let stoppingSince: number | null = null;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stoppingSince !== null) {
        if (performance.now() - stoppingSince < SAME_SIGNAL_MS) return;
        log.warn(null, 'second signal: ending at once', { signal });
        logging.flush();
        process.exit(1);
      }
      stoppingSince = performance.now();
      stop.resolve(signal);
    });
  }
  let host: Host;
  try {
    host = await createHost(config, logging, options);
  } catch (error) {
    process.stderr.write(`goflow: ${messageOf(error)}\n`);
    log.fatal(null, 'the host could not start', { 'error.message': messageOf(error) });
    logging.flush();
    return error instanceof ConfigError ? 2 : 1;
  }
  await whenReady?.(host);
  const signal = await stop.promise;
  log.info(null, 'shutting down', { signal, drain_timeout_s: config.drainTimeout });
  const begun = performance.now();
  await host.close(config.drainTimeout * 1000);
  log.info(null, 'host stopped', { duration_ms: Math.round(performance.now() - begun) });
  logging.flush();
  return 0;
}
