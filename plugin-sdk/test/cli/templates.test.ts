import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { emptyFolder, goflowPlugin } from './support.ts';

// The template `action` is tried in author.test.ts.
it.each([
  ['credential', 4],
  ['http-api', 5],
] as const)(
  'a project of the template %s is sound and passes its tests, offline, within a minute',
  async (template, tests) => {
    const folder = await emptyFolder();
    const began = performance.now();
    expect(await goflowPlugin(folder, 'init', 'fresh', '--template', template)).toMatchObject({ status: 0 });
    const dir = path.join(folder, 'fresh');
    const tested = await goflowPlugin(dir, 'test');
    expect(tested.stdout + tested.stderr).toMatch(new RegExp(`${tests} passed`));
    expect(performance.now() - began).toBeLessThan(60_000);

    const checked = await goflowPlugin(dir, 'check', '--json');
    expect(JSON.parse(checked.stdout)).toMatchObject({ problems: [], advice: [] });
    expect(await readdir(dir)).toContain('.gitignore');
  },
);

it('init tells which templates there are', async () => {
  const ended = await goflowPlugin(await emptyFolder(), 'init', 'x', '--template', 'nope');
  expect(ended).toMatchObject({ status: 2, stderr: expect.stringMatching(/there are action, credential, http-api/) });
});
