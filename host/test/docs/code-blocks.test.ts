import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** In the repository, so that the packages and relative paths of the blocks are found; as deep as the pages themselves. */
const FOLDER = path.join(ROOT, `.docs-blocks-${process.pid}`);

afterAll(() => rm(FOLDER, { recursive: true, force: true }));

it('every TypeScript block of docs/*.md compiles', async () => {
  await mkdir(FOLDER);
  let blocks = 0;
  for (const page of (await readdir(path.join(ROOT, 'docs'))).filter((name) => name.endsWith('.md'))) {
    const text = await readFile(path.join(ROOT, 'docs', page), 'utf8');
    for (const [, code] of text.matchAll(/^```ts\n(.*?)^```$/gms)) {
      blocks += 1;
      await writeFile(path.join(FOLDER, `${path.basename(page, '.md')}-${blocks}.ts`), String(code));
    }
  }
  expect(blocks).toBeGreaterThan(3);
  await writeFile(
    path.join(FOLDER, 'tsconfig.json'),
    JSON.stringify({
      extends: '../tsconfig.json',
      compilerOptions: { noUnusedLocals: false },
      include: ['*.ts'],
      exclude: [],
    }),
  );
  const tsc = path.join(ROOT, 'node_modules/typescript/lib/tsc.js');
  const problems = await promisify(execFile)(process.execPath, [tsc, '-p', FOLDER]).then(
    () => '',
    (error: { stdout: string; message: string }) => error.stdout || error.message,
  );
  expect(problems).toBe('');
});
