import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { ctx, openStore } from './helpers.ts';
import { startProgram } from './processes.ts';

const PAGE = 4096;

it('refuses what it could not write, whichever write fails, and goes on when writing works again', async ({ skip }) => {
  if (spawnSync('prlimit', ['--version']).status !== 0) skip('needs prlimit, to make writes fail beyond a file size');
  const { store, dataDir } = await openStore();
  await store.close();

  // The log may grow to a page more each time, so that another write of some commit is the one that fails.
  const accepted: string[] = [];
  const refused: string[] = [];
  for (let pages = 40; pages < 48; pages += 1) {
    const limited = startProgram('limited.ts', dataDir);
    const setLimit = (bytes: string): void => {
      const set = spawnSync('prlimit', ['--pid', String(limited.child.pid), `--fsize=${bytes}:unlimited`]);
      expect(set.stderr.toString()).toBe('');
    };
    setLimit(String(pages * PAGE));
    await limited.said('R run_');
    setLimit('unlimited');
    await limited.said('closed');
    for (const line of limited.output().split('\n')) {
      const [kind, id = '', code] = line.split(' ');
      if (kind === 'A') accepted.push(id);
      if (kind === 'R') refused.push(id);
      if (kind === 'R') expect(code).toBe('STORE_UNAVAILABLE');
    }
  }

  const { store: again } = await openStore(dataDir);
  for (const id of accepted) expect((await again.runs.get(ctx, 'default', id))?.status).toBe('queued');
  for (const id of refused) expect(await again.runs.get(ctx, 'default', id)).toBeNull();
});
