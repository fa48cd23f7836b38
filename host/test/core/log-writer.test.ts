import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const PROGRAM = `
import { createLogWriter } from ${JSON.stringify(fileURLToPath(new URL('../../src/core/log-writer.ts', import.meta.url)))};
const write = createLogWriter(1);
let longest = 0;
let last = performance.now();
setInterval(() => {
  longest = Math.max(longest, performance.now() - last);
  last = performance.now();
}, 5);
const line = JSON.stringify({ msg: 'x'.repeat(10_000) }) + '\\n';
let lines = 0;
const timer = setInterval(() => {
  for (let n = 0; n < 100; n += 1) write(line);
  lines += 100;
  if (lines < 3000) return;
  clearInterval(timer);
  setTimeout(() => process.stderr.write(String(Math.round(longest))), 100);
}, 1);
process.stdin.on('data', () => {
  write('{"msg":"the last"}\\n');
  setTimeout(() => {
    write.flushSync();
    process.exit();
  }, 500);
});
`;

it('never waits for whoever reads the log, drops what is too much, and says how much that was', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], { stdio: ['pipe', 'pipe', 'pipe'] });
  // Nobody reads standard output until all of it was logged: the pipe holds 64 kB of 30 MB.
  const longest = await new Promise<number>((resolve) => child.stderr.once('data', (text) => resolve(Number(text))));
  expect(longest).toBeLessThan(1000);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  child.stdin.write('go on');
  await new Promise((resolve) => child.once('close', resolve));
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string; lines?: number });
  const dropped = lines.find(({ msg }) => msg.startsWith('log lines dropped'));
  const kept = lines.filter(({ msg }) => msg.startsWith('xxx')).length;
  expect(kept).toBeGreaterThan(1000);
  const last = lines.filter(({ msg }) => msg === 'the last').length;
  expect(kept + last + (dropped?.lines ?? 0)).toBe(3001);
});
