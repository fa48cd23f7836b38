import { mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { BUNDLE_SUFFIX, readBundleFile } from './scan.ts';

/** The files of uploaded bundles, one for each digest, in the data directory. */
export interface BundleFiles {
  readonly dir: string;
  /** The name of the file that holds this digest's bundle. */
  nameOf(digest: string): string;
  /** Resolves once the bytes are on the disk under that name: wholly or not at all, whatever happens meanwhile. */
  write(digest: string, bytes: Uint8Array): Promise<string>;
  read(name: string): Uint8Array;
  remove(name: string): Promise<void>;
  /** Deletes what a crash between writing a file and recording it has left. */
  sweep(known: ReadonlySet<string>): void;
}

export function openBundleFiles(dataDir: string): BundleFiles {
  const dir = path.join(dataDir, 'bundles');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  let writes = 0;

  function nameOf(digest: string): string {
    // The digest's base64 has "/" and differs by case alone; hex does neither.
    return `${Buffer.from(digest.slice('sha256-'.length), 'base64').toString('hex')}${BUNDLE_SUFFIX}`;
  }

  return {
    dir,
    nameOf,
    async write(digest, bytes) {
      const name = nameOf(digest);
      const temporary = path.join(dir, `.${name}.${process.pid}.${(writes += 1)}.tmp`);
      try {
        const file = await open(temporary, 'wx', 0o600);
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, path.join(dir, name));
      } catch (error) {
        await unlink(temporary).catch(() => {});
        throw error;
      }
      await syncFolder(dir);
      return name;
    },
    read: (name) => readBundleFile(path.join(dir, path.basename(name))),
    async remove(name) {
      await unlink(path.join(dir, path.basename(name))).catch(() => {});
    },
    sweep(known) {
      for (const name of readdirSync(dir)) {
        const left = name.endsWith('.tmp') || (name.endsWith(BUNDLE_SUFFIX) && !known.has(name));
        if (left) unlinkSync(path.join(dir, name));
      }
    },
  };
}

/** A rename is durable once its folder is; where folders cannot be synced (Windows), the file system does it. */
async function syncFolder(dir: string): Promise<void> {
  try {
    const folder = await open(dir, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (process.platform !== 'win32') throw error;
  }
}
