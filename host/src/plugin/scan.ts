import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { MAX_BUNDLE_BYTES } from '@goflow/plugin-sdk/contract';

/** Which files of the plugins directory count: regular `*.goflow.json` files directly in it or in a sub-folder's `dist/`. */

export const BUNDLE_SUFFIX = '.goflow.json';

export interface Listing {
  /** Path relative to the directory → a stamp that changes whenever the file does. */
  readonly files: ReadonlyMap<string, string>;
  /** Absolute paths of the folders that have to be watched to see a change of `files`, each with a stamp of its identity. */
  readonly folders: ReadonlyMap<string, string>;
}

/**
 * Looks synchronously: a thousand files take a few milliseconds, far less than a thousand promises. Symbolic links, also to folders,
 * are passed over: a link could show a file outside, or change without a trace here. What vanishes meanwhile is left out.
 */
export function listBundles(dir: string): Listing {
  const files = new Map<string, string>();
  const folders = new Map<string, string>();
  const look = (folder: string): Dirent[] => {
    // The directory itself may be a link: whoever set it up chose where it leads.
    const stamp = folderStamp(path.join(dir, folder), folder === '' ? statSync : lstatSync);
    if (stamp === null) return [];
    let entries: Dirent[];
    try {
      entries = readdirSync(path.join(dir, folder), { withFileTypes: true });
    } catch {
      return [];
    }
    folders.set(path.join(dir, folder), stamp);
    for (const entry of entries) {
      if (!entry.isFile() || !isBundleName(entry.name)) continue;
      const file = path.join(folder, entry.name);
      const found = fileStamp(path.join(dir, file));
      if (found !== null) files.set(file, found);
    }
    return entries;
  };
  const names = look('')
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .map(({ name }) => name)
    .sort();
  for (const name of names) {
    // The sub-folder itself is watched for the coming of its `dist`, but no file directly in it counts.
    const stamp = folderStamp(path.join(dir, name), lstatSync);
    if (stamp !== null) folders.set(path.join(dir, name), stamp);
    look(path.join(name, 'dist'));
  }
  return { files: new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1))), folders };
}

/** The bytes of a bundle file. Throws with a message for people; never waits on a pipe, never follows a link. */
export function readBundleFile(file: string): Uint8Array {
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  let fd: number;
  try {
    fd = openSync(file, flags);
  } catch (error) {
    throw new Error(`the file cannot be opened: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
  try {
    const { size } = regularFile(fd);
    if (size > MAX_BUNDLE_BYTES) throw new Error(`the file has ${size} bytes; a bundle may have ${MAX_BUNDLE_BYTES}`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function regularFile(fd: number): { readonly size: number } {
  const stat = fstatSync(fd);
  if (!stat.isFile()) throw new Error('is not a regular file');
  return stat;
}

/** Hidden names are what editors and copying tools use for files that are not finished. */
function isBundleName(name: string): boolean {
  return name.endsWith(BUNDLE_SUFFIX) && !name.startsWith('.');
}

function fileStamp(file: string): string | null {
  const stat = lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return stat?.isFile() ? `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}` : null;
}

function folderStamp(folder: string, look: typeof statSync | typeof lstatSync): string | null {
  try {
    const stat = look(folder);
    return stat.isDirectory() ? `${stat.dev}:${stat.ino}` : null;
  } catch {
    return null;
  }
}
