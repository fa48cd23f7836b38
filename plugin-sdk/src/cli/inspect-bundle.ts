import {
  actionTimeoutMs,
  type Bundle,
  BundleError,
  effectiveLimits,
  type JsonSchema,
  parseBundle,
} from '../contract/index.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import { readNamedFile } from './project.ts';

/** Reads and checks a bundle file that was named on the command line. */
export async function readBundleFile(file: string): Promise<{ readonly bundle: Bundle; readonly digest: string }> {
  const bytes = await readNamedFile(file);
  try {
    return parseBundle(bytes);
  } catch (error) {
    if (error instanceof BundleError) throw new Failure(`${file} is not a sound bundle: ${error.reason}`);
    throw error;
  }
}

/** Shows a bundle: what it is, what it does, what it asks for. */
export async function inspectBundle(file: string, json: boolean, io: Io): Promise<void> {
  const { bundle, digest } = await readBundleFile(file);
  const files = Object.entries(bundle.files).map(([name, text]) => ({ name, bytes: Buffer.byteLength(text) }));
  if (json)
    io.data(JSON.stringify({ digest, manifest: bundle.manifest, files, signatures: bundle.signatures }, null, 2));
  else io.data(describe(bundle, digest, files));
}

function describe(bundle: Bundle, digest: string, files: ReadonlyArray<{ name: string; bytes: number }>): string {
  const { manifest } = bundle;
  const limits = effectiveLimits(manifest);
  const line = (label: string, value: string | undefined): string[] =>
    value === undefined || value === '' ? [] : [`${label.padEnd(13)}${plain(value)}`];
  const permissions = manifest.permissions ?? {};
  const asked = [
    ...(permissions.net ?? []).map((entry) => `  fetch    ${plain(entry)}`),
    ...(permissions.connect ?? []).map((entry) => `  connect  ${plain(entry)}`),
    ...(permissions.storage === true ? ['  storage'] : []),
  ];
  const actions = Object.entries(manifest.actions).flatMap(([id, action]) => [
    `  ${id}${action.title === undefined ? '' : `: ${plain(action.title)}`}`,
    ...(action.description === undefined ? [] : [`      ${plain(action.description)}`]),
    `      input ${outline(action.input)}, output ${outline(action.output)}, at most ${actionTimeoutMs(manifest, id)} ms${action.idempotent === false ? ', not run again after a crash' : ''}`,
  ]);
  return [
    `${manifest.name} ${manifest.version}`,
    ...line('title', manifest.title),
    ...line('description', manifest.description),
    ...line('author', manifest.author),
    ...line('license', manifest.license),
    ...line('built with', `@goflow/plugin-sdk ${manifest.sdk}`),
    ...line('digest', `${digest} (ok)`),
    ...line(
      'signed by',
      bundle.signatures.length === 0 ? 'nobody' : bundle.signatures.map((entry) => entry['keyid'] as string).join(', '),
    ),
    ...line('limits', `${limits.memory_mb} MiB, ${limits.concurrency} calls at once, ${limits.timeout_ms} ms a call`),
    ...line(
      'credential',
      manifest.credential === undefined
        ? 'none'
        : `${outline(manifest.credential)}, secrets as ${manifest.secrets ?? 'placeholder'}`,
    ),
    'asks for',
    ...(asked.length === 0 ? ['  nothing'] : asked),
    'actions',
    ...actions,
    'files',
    ...files.map(({ name, bytes }) => `  ${name.padEnd(14)} ${bytes} bytes`),
  ].join('\n');
}

/** `{ path, times? }` for an object schema. */
function outline(schema: JsonSchema | undefined): string {
  if (schema === undefined || typeof schema === 'boolean') return schema === false ? 'nothing' : 'any JSON';
  const { properties, required, type } = schema;
  if (typeof properties !== 'object' || properties === null) return typeof type === 'string' ? type : 'any JSON';
  const needed = new Set(Array.isArray(required) ? required : []);
  const names = Object.keys(properties).map((name) => plain(needed.has(name) ? name : `${name}?`));
  return names.length === 0 ? '{}' : `{ ${names.join(', ')} }`;
}

/** A stranger's text on a terminal: no escape sequences, one line. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}
