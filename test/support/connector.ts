import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT, tempDir } from './host-process.ts';

const run = promisify(execFile);
const CLI = path.join(ROOT, 'plugin-sdk/dist/cli.js');

/** Builds a connector from its source with the real command line; gives the bundle's path. */
export async function buildConnector(source: string, folder?: string): Promise<string> {
  const dir = folder ?? (await tempDir());
  await mkdir(path.join(dir, 'src'), { recursive: true });
  await writeFile(path.join(dir, 'src/index.ts'), source);
  return buildFolder(dir);
}

/** Builds the connector project in a folder; the bundle goes to a folder of its own. */
export async function buildFolder(dir: string): Promise<string> {
  const out = await tempDir();
  await run(process.execPath, [CLI, 'build', '--out', out], { cwd: dir });
  const [file] = (await readdir(out)).filter((name) => name.endsWith('.goflow.json'));
  if (file === undefined) throw new Error(`goflow-plugin build made no bundle in ${dir}`);
  return path.join(out, file);
}
