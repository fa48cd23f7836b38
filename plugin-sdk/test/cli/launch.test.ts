import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { emptyFolder } from './support.ts';

const LAUNCH = new URL('../../bin/launch.mjs', import.meta.url);

/** A program that pretends to run on Node 20, and launches an entry. */
async function oldProgram(entry: string): Promise<string> {
  const dir = await emptyFolder();
  await writeFile(path.join(dir, 'entry.mjs'), entry);
  const program = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } });
const { launch } = await import(${JSON.stringify(LAUNCH.href)});
await launch(${JSON.stringify(pathToFileURL(path.join(dir, 'entry.mjs')).href)});
`;
  const file = path.join(dir, 'program.mjs');
  await writeFile(file, program);
  return file;
}

it('runs the entry with the pinned Node, with its arguments, streams and status', async () => {
  const program = await oldProgram(
    "process.stdin.on('data', (text) => { console.log(process.versions.node.split('.')[0], process.argv.slice(2), String(text)); process.exit(7); });",
  );
  const ended = spawnSync(process.execPath, [program, '--a', 'b c'], { input: 'from stdin', encoding: 'utf8' });
  expect(ended.stdout).toBe("26 [ '--a', 'b c' ] from stdin\n");
  expect(ended.status).toBe(7);
});

it('passes signals on', async () => {
  const program = await oldProgram(
    "setInterval(() => {}, 1000); process.on('SIGTERM', () => { console.log('told'); process.exit(0); }); console.log('up');",
  );
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString('utf8');
    if (told === 'up\n') child.kill('SIGTERM');
  });
  expect(await ended).toEqual([0, null]);
  expect(told).toBe('up\ntold\n');
});

it('says so when the project is not built', async () => {
  const dir = await emptyFolder();
  await mkdir(path.join(dir, 'bin'));
  const file = path.join(dir, 'bin', 'x.mjs');
  await writeFile(
    file,
    `import { launch } from ${JSON.stringify(fileURLToPath(LAUNCH))};\nawait launch(new URL('../dist/x.js', import.meta.url));\n`,
  );
  const ended = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  expect(ended.stderr).toMatch(/dist\/x\.js does not exist: the project is not built\. Run: npm run build/);
  expect(ended.status).toBe(1);
});
