import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { createLogging } from '../../src/core/log.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import type { Store } from '../../src/store/store.ts';

export { ctx, ended, makeKey, makeLogs, makeRun, makeWorkflow, NO_INTERNALS } from './records.ts';

/** An empty directory that goes with the test. */
export function makeDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'goflow-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface OpenedStore {
  readonly store: Store;
  readonly dataDir: string;
  /** What was logged, one JSON object each. */
  readonly lines: string[];
}

/** A real store that is closed after the test. */
export async function openStore(dataDir: string = makeDirectory()): Promise<OpenedStore> {
  const lines: string[] = [];
  const log = createLogging({ level: 'debug', levels: {}, write: (line) => void lines.push(line) }).for('store');
  const store = await openSqliteStore({ dataDir, log });
  onTestFinished(() => store.close());
  return { store, dataDir, lines };
}
