import { expect, it } from 'vitest';
import { ctx, makeDirectory, openStore } from './helpers.ts';
import { startProgram } from './processes.ts';

it('has every acknowledged write after kill -9 at random moments', async () => {
  const dataDir = makeDirectory();
  const accepted = new Set<string>();
  const finished = new Set<string>();
  for (let round = 0; round < 10; round += 1) {
    const writer = startProgram('writer.ts', dataDir);
    await writer.said('F run_');
    // Some more acknowledgements, then in the middle of whatever it does.
    const enough = writer.output().length + Math.floor(Math.random() * 20_000);
    while (writer.output().length < enough) {
      await new Promise((resolve) => writer.child.stdout?.once('data', resolve));
    }
    await writer.kill();
    // The last line may be cut off.
    for (const line of writer.output().split('\n').slice(0, -1)) {
      if (line.startsWith('A ')) accepted.add(line.slice(2));
      if (line.startsWith('F ')) finished.add(line.slice(2));
    }
  }
  const { store } = await openStore(dataDir);
  expect(accepted.size).toBeGreaterThan(100);
  const statuses = new Map<string, string>();
  for (const id of accepted) statuses.set(id, (await store.runs.get(ctx, 'default', id))?.status ?? 'lost');
  expect([...accepted].filter((id) => statuses.get(id) === 'lost')).toEqual([]);
  expect([...finished].filter((id) => statuses.get(id) !== 'succeeded')).toEqual([]);
});
