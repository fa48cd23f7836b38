import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isAlive, until } from './harness.ts';

const HOST = fileURLToPath(new URL('host-to-kill.ts', import.meta.url));

test('an engine does not outlive its host, not even with a thread that cannot be ended', async () => {
  const host = spawn(process.execPath, ['--conditions=goflow-source', HOST], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(host.stdout.setEncoding('utf8'), 'data')) as [string];
  const pid = Number(line);
  expect(isAlive(pid)).toBe(true);
  host.kill('SIGKILL');
  await until(() => !isAlive(pid), 'the engine ends');
});
