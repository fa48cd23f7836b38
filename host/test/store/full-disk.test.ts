import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ctx, ended, makeDirectory, makeRun, NO_INTERNALS, openStore } from './helpers.ts';

/** A file system of a few megabytes, where this user may make one. */
function mountSmall(directory: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', directory]).status === 0;
}

it('refuses writes on a full disk, goes on reading, and recovers by itself when there is space', async ({ skip }) => {
  const disk = makeDirectory();
  if (!mountSmall(disk)) skip('needs the right to mount a tmpfs');
  onTestFinished(() => void spawnSync('umount', ['-l', disk]));
  const ballast = path.join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(1024 * 1024));
  const { store, lines } = await openStore(path.join(disk, 'data'));

  const kept: string[] = [];
  let refused: unknown = null;
  for (let index = 0; refused === null && index < 1000; index += 1) {
    const run = makeRun({ parameters: { text: 'x'.repeat(20_000) } });
    try {
      await store.runs.accept(ctx, run, NO_INTERNALS);
      kept.push(run.id);
    } catch (error) {
      refused = error;
    }
  }
  expect(refused).toMatchObject({ code: 'STORE_FULL' });
  expect(lines.join('\n')).toMatch(/no space left for .*goflow\.db; free some/);
  await expect(store.ping(ctx)).rejects.toMatchObject({ code: 'STORE_FULL' });
  for (const id of kept) expect((await store.runs.get(ctx, 'default', id))?.status).toBe('queued');

  rmSync(ballast);
  // Nobody writes, and still it is noticed.
  await expect
    .poll(
      () =>
        store.ping(ctx).then(
          () => 'well',
          () => 'not well',
        ),
      { timeout: 10_000 },
    )
    .toBe('well');
  for (const id of kept.slice(0, 10)) expect(await store.runs.finish(ctx, ended(makeRun({ id })), [])).toBe(true);
  await store.runs.accept(ctx, makeRun(), NO_INTERNALS);
  expect(lines.join('\n')).toContain('writes work again');
});
