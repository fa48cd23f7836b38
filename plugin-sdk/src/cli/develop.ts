import path from 'node:path';
import semver from 'semver';
import { type BuiltConnector, buildConnector } from '../build/build-connector.ts';
import { describeIn } from '../build/describe-in.ts';
import { BuildError, formatProblem } from '../build/problem.ts';
import { type Bundle, serializeBundle, sha256 } from '../contract/index.ts';
import type { Engine } from '../runtime/engine/types.ts';
import { ChangeSignal } from './changes.ts';
import { checkTypes } from './check-types.ts';
import { Failure } from './failure.ts';
import { followRuns } from './follow-runs.ts';
import { connectHost, type HostAddress, type HostClient } from './host-client.ts';
import type { Io } from './io.ts';
import { projectDir } from './project.ts';
import { describePermissions, upload } from './publish.ts';
import { startHost } from './start-host.ts';

export interface DevelopOptions {
  /** Null: a host is started for this session. */
  readonly address: HostAddress | null;
  readonly entry: string | undefined;
  readonly grant: boolean;
  readonly types: boolean;
}

/**
 * Builds and installs after each change, until the process is told to end. A host takes a version once, so each build is a pre-release of
 * the next one: `1.0.1-dev.…`. Runs in flight go on with the build that they began with.
 */
export async function develop(engine: Engine, options: DevelopOptions, io: Io): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const dir = projectDir();
  const started = options.address === null ? await startHost(io) : null;
  const host = connectHost(options.address ?? { url: (started as { url: string }).url });
  const changes = new ChangeSignal(dir, 'dist');
  const session = new Session(host, { ...options, grant: options.grant || started !== null }, io);
  let following: Promise<void> | null = null;
  let builds = 0;
  try {
    while (!stop.signal.aborted) {
      const began = performance.now();
      const built = await build(engine, dir, options.entry, io);
      if (built !== null) {
        await session.install(built, began);
        following ??= followRuns(host, built.manifest.name, stop.signal, io);
      }
      const turn = ++builds;
      if (options.types && built !== null) void tellTypes(dir, options.entry, io, () => turn === builds);
      await changes.next(stop.signal);
    }
    await following;
  } finally {
    stop.abort();
    changes.close();
    await session.end();
    await started?.stop();
  }
}

async function build(engine: Engine, dir: string, entry: string | undefined, io: Io): Promise<BuiltConnector | null> {
  try {
    return await buildConnector({
      dir,
      ...(entry !== undefined && { entry }),
      describe: (bundle, ms) => describeIn(engine)(bundle, ms).finally(() => engine.close(bundle.digest)),
    });
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    io.say(error.problems.map(formatProblem).join('\n'));
    return null;
  }
}

/** Types are checked while the build is live already: they take seconds, and the code runs without them. */
async function tellTypes(dir: string, entry: string | undefined, io: Io, isCurrent: () => boolean): Promise<void> {
  const file = path.resolve(dir, entry ?? path.join('src', 'index.ts'));
  const problems = await checkTypes(dir, file).catch((error: unknown) => [{ message: String(error) }]);
  if (isCurrent()) for (const problem of problems) io.say(formatProblem(problem));
}

/** What one session of `dev` has put on a host. */
class Session {
  readonly #host: HostClient;
  readonly #options: DevelopOptions;
  readonly #io: Io;
  /** Whether the connector was on the host before; undefined: nothing was installed yet. */
  #before: boolean | undefined;
  #name = '';
  #shown = '';

  constructor(host: HostClient, options: DevelopOptions, io: Io) {
    this.#host = host;
    this.#options = options;
    this.#io = io;
  }

  async install(built: BuiltConnector, began: number): Promise<void> {
    if (built.digest === this.#shown) return;
    this.#shown = built.digest;
    this.#name = built.manifest.name;
    const at = `/api/plugins/${encodeURIComponent(this.#name)}`;
    try {
      this.#before ??= (await this.#host.request('GET', at, undefined, [404])).status === 200;
      const published = await upload(this.#host, devVersion(built.bundle));
      let { state } = published;
      const asked = built.manifest.permissions ?? {};
      if (state === 'needs_grant' && this.#options.grant) {
        const granted = await this.#host.request('PUT', `${at}/grants`, JSON.stringify({ permissions: asked }));
        state = String(granted.body['state']);
      }
      for (const warning of built.warnings) this.#io.say(`warning: ${formatProblem(warning)}`);
      const ms = Math.round(performance.now() - began);
      this.#io.say(`${this.#name} ${published.version} is live on ${this.#host.url} (${ms} ms): ${state}`);
      if (state === 'needs_grant')
        this.#io.say(
          `It waits for a grant of:\n${describePermissions(published.permissions_to_grant)}\nUse --grant to give it.`,
        );
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#io.say(error.message);
    }
  }

  /** A connector that this session brought is taken away again; one that was there before is left with the last build. */
  async end(): Promise<void> {
    if (this.#before !== false || this.#options.address === null) return;
    await this.#host
      .request('DELETE', `/api/plugins/${encodeURIComponent(this.#name)}`, undefined, [404])
      .catch(() => {});
  }
}

/** The bundle under a version that is newer than its own, and than every build before. Hosts compare code and manifest, so both have it. */
function devVersion(bundle: Bundle): string {
  const next = semver.inc(bundle.manifest.version, 'patch') ?? bundle.manifest.version;
  const version = `${next}-dev.${Date.now()}`;
  const code = `${bundle.files['plugin.js']}
module.exports={default:{...(module.exports.default??module.exports),version:${JSON.stringify(version)}}};
`;
  const digests = { ...bundle.manifest.digests, 'plugin.js': sha256(code) };
  return serializeBundle({
    ...bundle,
    manifest: { ...bundle.manifest, version, digests },
    files: { ...bundle.files, 'plugin.js': code },
    signatures: [],
  });
}
