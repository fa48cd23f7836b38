import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { emptyFolder, goflowPlugin } from './support.ts';

it('build --watch builds again after a change, lives through a mistake, and ends with the signal', async () => {
  const folder = await emptyFolder();
  await goflowPlugin(folder, 'init', 'watched');
  const dir = path.join(folder, 'watched');
  const source = path.join(dir, 'src/index.ts');
  const launcher = fileURLToPath(new URL('../../bin/goflow-plugin.mjs', import.meta.url));
  const child = spawn(process.execPath, [launcher, 'build', '--watch'], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  let told = '';
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString('utf8')));
  const tellsTimes = (text: RegExp, times: number): Promise<void> =>
    vi.waitFor(() => expect(told.match(new RegExp(text, 'g'))?.length ?? 0).toBeGreaterThanOrEqual(times), {
      timeout: 20_000,
      interval: 20,
    });
  try {
    await tellsTimes(/Watching for changes/, 1);
    const text = await readFile(source, 'utf8');
    await writeFile(source, text.replace("'0.1.0'", "'0.2.0'"));
    await tellsTimes(/Built watched 0\.2\.0/, 1);
    await tellsTimes(/Watching for changes/, 2);
    await writeFile(source, 'export default {');
    await tellsTimes(/src\/index\.ts:\d+:\d+: /, 1);
    await writeFile(source, text.replace("'0.1.0'", "'0.3.0'"));
    await tellsTimes(/Built watched 0\.3\.0/, 1);
    expect((await readdir(path.join(dir, 'dist'))).sort()).toEqual(
      ['0.1.0', '0.2.0', '0.3.0'].map((version) => `watched-${version}.goflow.json`),
    );
  } finally {
    child.kill('SIGTERM');
  }
  expect(await ended).toEqual([0, null]);
});
