import { readFileSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import hostPackage from '../../package.json' with { type: 'json' };

/**
 * What this host has found out about bundles, kept over restarts: that a file's bytes are a sound bundle, and that a bundle's code loads in
 * the sandbox. Saves a second of schema checks and a minute of sandboxes when a thousand bundles start again. Only good news is kept: a
 * refusal may have come of a busy machine. Another version of the host begins anew, since its rules may be stricter.
 */
export interface BundleMemory {
  /** The digest of the bundle that these bytes were found to be. */
  soundDigest(bytes: Uint8Array): string | undefined;
  rememberSound(bytes: Uint8Array, digest: string): void;
  loads(digest: string): boolean;
  rememberLoads(digest: string): void;
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

const HEADER = `goflow ${hostPackage.version}`;
/** More than this, most of it of files that are long gone: begin anew. */
const MOST_LINES = 20_000;
const WRITE_AFTER_MS = 100;

export function openBundleMemory(file: string): BundleMemory {
  const sound = new Map<string, string>();
  const loading = new Set<string>();
  const lines = readLines(file);
  for (const line of lines ?? []) {
    const [kind, first, second] = line.split(' ');
    if (kind === 'sound' && first !== undefined && second !== undefined) sound.set(first, second);
    if (kind === 'loads' && first !== undefined) loading.add(first);
  }
  let pending = lines === null ? `${HEADER}\n` : '';
  let written: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | null = null;
  let begun = lines !== null;

  // Losing a line costs one more check after a restart, nothing else.
  function write(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const text = pending;
    pending = '';
    if (text === '') return written;
    const save = begun ? appendFile : writeFile;
    begun = true;
    written = written.then(() => save(file, text, { mode: 0o600 })).catch(() => {});
    return written;
  }

  function add(line: string): void {
    pending += `${line}\n`;
    timer ??= setTimeout(() => void write(), WRITE_AFTER_MS).unref();
  }

  return {
    soundDigest: (bytes) => sound.get(hashOf(bytes)),
    rememberSound(bytes, digest) {
      const hash = hashOf(bytes);
      if (sound.has(hash)) return;
      sound.set(hash, digest);
      add(`sound ${hash} ${digest}`);
    },
    loads: (digest) => loading.has(digest),
    rememberLoads(digest) {
      if (loading.has(digest)) return;
      loading.add(digest);
      add(`loads ${digest}`);
    },
    close: write,
  };
}

/** Null when there is nothing to go on with. */
function readLines(file: string): string[] | null {
  try {
    const [header, ...lines] = readFileSync(file, 'utf8').split('\n');
    return header === HEADER && lines.length <= MOST_LINES ? lines : null;
  } catch {
    return null;
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}
