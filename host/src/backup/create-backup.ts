import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Context } from '../core/context.ts';
import { GoflowError } from '../core/errors.ts';
import { VERSION } from '../core/version.ts';
import type { Store } from '../store/store.ts';
import { DATABASE_FILE } from '../store/sqlite/open-database.ts';
import {
  BACKUP_FORMAT,
  BUNDLE_NAME,
  BUNDLES_DIR,
  SUMMARY_FILE,
  type BackupFile,
  type BackupSummary,
} from './format.ts';
import { paddingOf, TAR_END, tarHeader } from './tar.ts';

/** Copies of a data directory while its host works. */
export interface Backups {
  /**
   * Copies everything as of one moment into the data directory; the caller reads the archive and disposes of the copy. Rejects with CONFLICT while
   * another backup is being made, with STORE_FULL when the disk has no space for the copy.
   */
  create(ctx: Context): Promise<Backup>;
}

export interface Backup extends AsyncDisposable {
  readonly archive: AsyncIterable<Uint8Array>;
}

const STAGING_PREFIX = 'backup-';

export function createBackups({ store, dataDir }: { readonly store: Store; readonly dataDir: string }): Backups {
  let busy = false;

  async function stage(ctx: Context): Promise<string> {
    // What a crash during an earlier backup has left.
    for (const name of await readdir(dataDir)) {
      if (name.startsWith(STAGING_PREFIX)) await rm(path.join(dataDir, name), { recursive: true, force: true });
    }
    const staging = await mkdtemp(path.join(dataDir, STAGING_PREFIX));
    try {
      await mkdir(path.join(staging, BUNDLES_DIR));
      // Before and after the database: one that it knows was there at one of the two times. What it does not know, the next start removes.
      await linkBundles(dataDir, staging);
      await store.backup(ctx, path.join(staging, DATABASE_FILE));
      await linkBundles(dataDir, staging);
      return staging;
    } catch (error) {
      await rm(staging, { recursive: true, force: true });
      throw error;
    }
  }

  return {
    async create(ctx) {
      if (busy) throw new GoflowError('CONFLICT', 'a backup is being made already; ask again when it is done');
      busy = true;
      try {
        const staging = await stage(ctx);
        return {
          archive: archive(staging),
          async [Symbol.asyncDispose]() {
            await rm(staging, { recursive: true, force: true });
            busy = false;
          },
        };
      } catch (error) {
        busy = false;
        throw error;
      }
    },
  };
}

/** Bundle files are never changed, so a second name for each is a copy that costs nothing. */
async function linkBundles(dataDir: string, staging: string): Promise<void> {
  const from = path.join(dataDir, BUNDLES_DIR);
  for (const name of await readdir(from)) {
    // Other files there can be made again.
    if (!BUNDLE_NAME.test(name)) continue;
    await link(path.join(from, name), path.join(staging, BUNDLES_DIR, name)).catch((error: NodeJS.ErrnoException) => {
      // Linked before, or removed meanwhile.
      if (error.code !== 'EEXIST' && error.code !== 'ENOENT') throw error;
    });
  }
}

async function* archive(staging: string): AsyncGenerator<Uint8Array> {
  const now = new Date();
  const bundles = await readdir(path.join(staging, BUNDLES_DIR));
  const files: BackupFile[] = [];
  for (const name of [DATABASE_FILE, ...bundles.toSorted().map((bundle) => `${BUNDLES_DIR}/${bundle}`)]) {
    const { size } = await stat(path.join(staging, name));
    yield tarHeader({ name, size }, now);
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path.join(staging, name)) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      yield chunk;
    }
    yield new Uint8Array(paddingOf(size));
    files.push({ name, size, sha256: hash.digest('hex') });
  }
  const summary: BackupSummary = { format: BACKUP_FORMAT, version: VERSION, created_at: now.toISOString(), files };
  const text = Buffer.from(`${JSON.stringify(summary, null, 2)}\n`);
  yield tarHeader({ name: SUMMARY_FILE, size: text.length }, now);
  yield text;
  yield new Uint8Array(paddingOf(text.length));
  yield TAR_END;
}
