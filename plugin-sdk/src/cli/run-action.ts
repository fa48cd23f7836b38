import { BundleError, type JsonObject, type JsonValue, type Manifest } from '../contract/index.ts';
import { misfit } from '../testing/call-action.ts';
import { openWith, type OpenConnector } from '../testing/open-connector.ts';
import type { Engine } from '../runtime/engine/types.ts';
import type { ActionOutcome, LogLine } from '../testing/outcome.ts';
import { Failure, usage } from './failure.ts';
import type { Io } from './io.ts';
import { projectDir, readJsonArgument, readNamedFile } from './project.ts';

export interface RunArguments {
  readonly action: string;
  readonly input: string | undefined;
  readonly credential: string | undefined;
  readonly bundle: string | undefined;
  readonly entry: string | undefined;
  readonly allowPrivate: readonly string[];
  readonly json: boolean;
}

/** Runs an action once; its result goes to standard output, its log to standard error. */
export async function runAction(engine: Engine, options: RunArguments, io: Io): Promise<void> {
  const input = options.input === undefined ? {} : await readJsonArgument('--input', options.input);
  const credential =
    options.credential === undefined ? null : await readJsonArgument('--credential', options.credential);
  if (options.bundle !== undefined) await readNamedFile(options.bundle);

  const done = io.progress('running');
  try {
    await using connector = await open(engine, options);
    checkArguments(connector.manifest, options, credential);
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort('cancelled'));
    const outcome = await connector.run(options.action, input as JsonValue, {
      credential: credential as JsonObject | null,
      signal: stop.signal,
      ...(!options.json && { onLog: (line) => io.say(showLine(line)) }),
    });
    done();
    tell(outcome, options.json, io);
  } finally {
    done();
  }
}

async function open(engine: Engine, options: RunArguments): Promise<OpenConnector> {
  const source =
    options.bundle === undefined ? { dir: projectDir(), entry: options.entry } : { bundle: options.bundle };
  try {
    return await openWith(engine, { ...source, allowPrivate: options.allowPrivate });
  } catch (error) {
    if (error instanceof BundleError) throw new Failure(`${options.bundle} is not a sound bundle: ${error.reason}`);
    // The one other thing that is checked before anything is built.
    if (error instanceof Error && options.allowPrivate.length > 0 && error.message.startsWith('"'))
      throw usage(`--allow-private: ${error.message}.`);
    throw error;
  }
}

function checkArguments(manifest: Manifest, options: RunArguments, credential: unknown): void {
  if (!Object.hasOwn(manifest.actions, options.action)) {
    throw usage(
      `${manifest.name} has no action "${options.action}"; there are: ${Object.keys(manifest.actions).join(', ')}.`,
    );
  }
  if (manifest.credential === undefined) {
    if (credential !== null) throw usage(`${manifest.name} takes no credential; leave --credential out.`);
    return;
  }
  const required = manifest.credential['required'];
  if (credential === null && Array.isArray(required) && required.length > 0) {
    throw usage(
      `${manifest.name} needs a credential; give a JSON file with ${required.join(', ')} as --credential FILE.`,
    );
  }
  const unfit = credential === null ? null : misfit(manifest.credential, credential, '/credential');
  if (unfit !== null) throw usage(`--credential: the values do not fit: ${unfit}.`);
}

function tell(outcome: ActionOutcome, json: boolean, io: Io): void {
  if (json) io.data(JSON.stringify(outcome));
  else if (outcome.status === 'succeeded') io.data(JSON.stringify(outcome.output, null, 2));
  if (outcome.status === 'succeeded') return;
  const { code, message, details } = outcome.error;
  const more = details === undefined ? '' : `\n${JSON.stringify(details, null, 2)}`;
  throw new Failure(`${code}: ${message}${more}`);
}

function showLine(line: LogLine): string {
  const fields = line.fields === null || Object.keys(line.fields).length === 0 ? '' : ` ${JSON.stringify(line.fields)}`;
  return `${line.level.padEnd(5)} ${line.message.replaceAll(/\p{Cc}+/gu, ' ')}${fields}`;
}
