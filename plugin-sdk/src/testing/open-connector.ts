import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { buildConnector } from '../build/build-connector.ts';
import { describeIn } from '../build/describe-in.ts';
import { type Bundle, type JsonObject, type JsonValue, type Manifest, parseBundle } from '../contract/index.ts';
import { type Broker, createBroker, parseAllowPrivate } from '../runtime/broker/broker.ts';
import type { Dialer } from '../runtime/broker/dial.ts';
import { createEngine, type Engine } from '../runtime/engine/engine.ts';
import { callAction } from './call-action.ts';
import { memoryStorage } from './memory-storage.ts';
import type { ActionOutcome, LogLine } from './outcome.ts';
import { openRecording } from './recording.ts';
import type { Tap } from './tap.ts';
import { startUpstream, type Upstream } from './upstream.ts';

export interface OpenOptions {
  /** Folder of the connector's project, which is built; or `bundle`. */
  readonly dir?: string | URL;
  /** Entry file, relative to `dir`. Default `src/index.ts`. */
  readonly entry?: string | undefined;
  /** A bundle file that is run as it is. */
  readonly bundle?: string | URL;
  /** The credential's values; each call may have others. */
  readonly credential?: JsonObject | null;
  /** Private addresses that a permission may reach, as `["127.0.0.1:2525"]`. Default: none. */
  readonly allowPrivate?: readonly string[];
  /** PEM certificates that are trusted besides the system's. */
  readonly ca?: readonly string[];
  /** Answers instead of the network; each call may have another. */
  readonly upstream?: Upstream;
  /**
   * File of recorded exchanges. When it is there they are replayed, and nothing goes out; when it is not, it is recorded from the real
   * service (or `upstream`) and written by `close`. `GOFLOW_RECORD=1` records anew. Secrets are not in it.
   */
  readonly recording?: string | URL;
}

export interface RunOptions {
  readonly credential?: JsonObject | null;
  /** Longest call, in milliseconds. Default: what the manifest says. */
  readonly timeoutMs?: number | undefined;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** Gets each log line when it is written. */
  readonly onLog?: (line: LogLine) => void;
  /** Answers instead of the network, for this call. */
  readonly upstream?: Upstream;
  /**
   * The connector's clock begins at this time and jumps to the next timer whenever nothing but timers is waited for: an hour of
   * `ctx.sleep` passes at once. It holds for `Date`, timers, `ctx.sleep`, `ctx.deadline` and `ctx.remaining()`; not for
   * `AbortSignal.timeout`, `performance.now()` and the host's own deadline.
   */
  readonly clock?: string | number | Date;
  /** Counts what the call leaves behind: `outcome.leaks`. */
  readonly leaks?: boolean;
  /** Stands between the connector and the broker, for what the options above do not do. */
  readonly tap?: Tap;
  /** After a time-out or cancellation, when the work has ended: `null`: by itself; else its thread was ended, after so many ms. */
  readonly onEnded?: (threadGoneMs: number | null) => void;
}

/** A connector in the production sandbox. It has processes of its own: `close` it. */
export interface OpenConnector extends AsyncDisposable {
  readonly manifest: Manifest;
  /** Runs an action; resolves with what it came to, whatever that is. */
  run(action: string, input?: JsonValue, options?: RunOptions): Promise<ActionOutcome>;
  close(): Promise<void>;
}

/**
 * Builds a connector and opens it in the production sandbox, with everything granted that it asks for.
 *
 * @example
 * await using connector = await openConnector({ dir: new URL('..', import.meta.url) });
 * const outcome = await connector.run('greet', { name: 'Ada' });
 *
 * @throws {BuildError} when it cannot be built; {BundleError} when the bundle file is not sound.
 */
export async function openConnector(options: OpenOptions): Promise<OpenConnector> {
  const engine = createEngine({ processes: 1 });
  try {
    const connector = await openWith(engine, options);
    const close = async (): Promise<void> => {
      await connector.close();
      await engine.shutdown();
    };
    return { ...connector, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await engine.shutdown();
    throw error;
  }
}

/** The same with an engine that the caller has, and ends. */
export async function openWith(engine: Engine, options: OpenOptions): Promise<OpenConnector> {
  const allowPrivate = parseAllowPrivate((options.allowPrivate ?? []).join(','));
  const { bundle, digest } = await load(options, engine);
  const storage = memoryStorage();
  const newBroker = (dialer?: Dialer): Broker =>
    createBroker({
      allowPrivate,
      storage,
      ...(options.ca !== undefined && { ca: options.ca }),
      ...(dialer !== undefined && { dialer }),
    });
  const recording = options.recording === undefined ? null : await openRecording(options.recording);
  const broker = newBroker();
  const close = async (): Promise<void> => {
    broker.close();
    await recording?.save();
  };

  async function run(action: string, input: JsonValue = {}, given: RunOptions = {}): Promise<ActionOutcome> {
    const { credential, upstream = options.upstream, clock, tap, ...rest } = given;
    const server = upstream === undefined ? null : await startUpstream(upstream);
    const own = server === null ? broker : newBroker(server.dialer);
    try {
      const outcome = await callAction(engine, own, {
        bundle,
        digest,
        action,
        input,
        credential: credential ?? options.credential ?? null,
        taps: [tap, recording?.tap].filter((one) => one !== undefined),
        clock: clock === undefined ? null : new Date(clock).getTime(),
        ...rest,
      });
      const thrown = server?.thrown();
      if (thrown != null) throw thrown.error;
      return outcome;
    } finally {
      if (own !== broker) own.close();
      await server?.close();
    }
  }
  return { manifest: bundle.manifest, run, close, [Symbol.asyncDispose]: close };
}

async function load(options: OpenOptions, engine: Engine): Promise<{ bundle: Bundle; digest: string }> {
  if (options.bundle !== undefined) return parseBundle(await readFile(options.bundle));
  const dir = options.dir instanceof URL ? fileURLToPath(options.dir) : (options.dir ?? process.cwd());
  return await buildConnector({
    dir,
    ...(options.entry !== undefined && { entry: options.entry }),
    describe: describeIn(engine),
  });
}
