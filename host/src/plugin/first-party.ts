import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Digests of the bundles that this build of the host ships with; the build writes them. Only these are granted what they ask without being asked. */
export function firstPartyDigests(): ReadonlySet<string> {
  const dir = path.dirname(createRequire(import.meta.url).resolve('@goflow/host/package.json'));
  const file = path.join(dir, 'dist', 'first-party.json');
  return new Set(existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : []);
}
