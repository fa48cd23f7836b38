import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { reference } from './reference.ts';

const GUIDE = '../../../docs/PLUGIN_SYSTEM_GUIDE.md';

it("the guide's reference is what the doc comments and the commands say", async () => {
  const guide = readFileSync(new URL(GUIDE, import.meta.url), 'utf8');
  const [before, after] = [guide.indexOf('anew -->') + 'anew -->'.length, guide.indexOf('<!-- end -->')];
  expect(after).toBeGreaterThan(before);
  const whole = `${guide.slice(0, before)}\n\n${reference()}\n\n${guide.slice(after)}`;
  await expect(whole).toMatchFileSnapshot(GUIDE);
});
