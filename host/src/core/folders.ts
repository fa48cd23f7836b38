import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from './config.ts';

/**
 * Makes the data directory, for its owner alone, and what is missing above it. One that is there is left as it is.
 * @throws ConfigError when it cannot be a folder
 */
export async function makeDataDir(dir: string): Promise<void> {
  try {
    await make(dir);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(
      `GOFLOW_DATA_DIR: ${JSON.stringify(dir)} is not a folder that can be made or written here (${code ?? 'unknown'})`,
      { cause: error },
    );
  }
}

/**
 * The plugins directory need not be there yet; what is there has to be a folder.
 * @throws ConfigError
 */
export async function checkPluginsDir(dir: string): Promise<void> {
  const found = await stat(dir).catch(() => null);
  if (found !== null && !found.isDirectory())
    throw new ConfigError(`GOFLOW_PLUGINS_DIR: ${JSON.stringify(dir)} is not a folder`);
}

/** Not `mkdir` with `recursive`: where a folder takes no new one (`/proc`), that tries without end. */
async function make(dir: string): Promise<void> {
  try {
    await mkdir(dir, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(dir)).isDirectory()) return;
    const parent = path.dirname(dir);
    if (code !== 'ENOENT' || parent === dir) throw error;
    await make(parent);
    await mkdir(dir, { mode: 0o700 });
  }
}
