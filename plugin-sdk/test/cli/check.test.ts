import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { emptyFolder, goflowPlugin } from './support.ts';

let dir: string;
let source: string;
const old = 'dist/checked-0.1.0.goflow.json';

beforeAll(async () => {
  const folder = await emptyFolder();
  await goflowPlugin(folder, 'init', 'checked');
  dir = path.join(folder, 'checked');
  source = await readFile(path.join(dir, 'src/index.ts'), 'utf8');
  expect(await goflowPlugin(dir, 'build')).toMatchObject({ status: 0 });
});

async function change(...edits: ReadonlyArray<readonly [from: string, to: string]>): Promise<void> {
  let text = source;
  for (const [from, to] of edits) {
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  await writeFile(path.join(dir, 'src/index.ts'), text);
}

describe('check --against', () => {
  it('finds nothing in what has not changed', async () => {
    await change();
    expect(await goflowPlugin(dir, 'check', '--against', old)).toMatchObject({ status: 0 });
  });

  it('refuses a version that is too low for what has changed, with its place', async () => {
    await change(["required: ['name']", "required: ['name', 'shout']"], ["version: '0.1.0'", "version: '0.1.1'"]);
    const checked = await goflowPlugin(dir, 'check', '--against', old);
    expect(checked.stderr).toMatch(/^major: \/actions\/greet\/input\/shout is required now$/m);
    expect(checked.stderr).toMatch(
      /^src\/index\.ts:5:3: \/version is 0\.1\.1; what has changed since 0\.1\.0 needs 0\.2\.0 or higher \(a major change\)\.$/m,
    );
    expect(checked.status).toBe(1);
  });

  it('takes a version that is high enough', async () => {
    await change(["required: ['name']", "required: ['name', 'shout']"], ["version: '0.1.0'", "version: '0.2.0'"]);
    const checked = await goflowPlugin(dir, 'check', '--against', old, '--json');
    expect(checked.status).toBe(0);
    expect(JSON.parse(checked.stdout)).toMatchObject({
      problems: [],
      compared: { step: 'major', needs: '0.2.0', enough: true },
      size: { bundle: expect.any(Number), code: expect.any(Number) },
    });
  });

  it('refuses the bundle of another connector', async () => {
    await change(["name: 'checked'", "name: 'other'"]);
    const checked = await goflowPlugin(dir, 'check', '--against', old);
    expect(checked).toMatchObject({ status: 2, stderr: expect.stringMatching(/a bundle of checked, not of other/) });
  });
});

describe('check', () => {
  it('tells where a package uses what a connector has not, unless it asks first', async () => {
    await change(['const name', 'useAll();\n        const name']);
    const text = await readFile(path.join(dir, 'src/index.ts'), 'utf8');
    await writeFile(path.join(dir, 'src/index.ts'), `import { useAll } from 'uses-all';\n${text}`);
    const dependency = path.join(dir, 'node_modules/uses-all');
    await mkdir(dependency, { recursive: true });
    await writeFile(path.join(dependency, 'package.json'), '{"name":"uses-all","type":"module","main":"index.js"}');
    await writeFile(
      path.join(dependency, 'index.js'),
      `export function useAll(process) {
  if (typeof window !== 'undefined') window.alert('guarded');
  const bytes = Buffer.from('x');
  process.exit({ XMLHttpRequest: 1, bytes });
  return new Function('return 1')() + localStorage.length;
}
`,
    );
    const checked = await goflowPlugin(dir, 'check', '--json');
    const { advice } = JSON.parse(checked.stdout) as { advice: string[] };
    const said = advice.filter((line) => line.startsWith('node_modules/uses-all/'));
    expect(said).toEqual([
      expect.stringMatching(/^node_modules\/uses-all\/index\.js:3:17: "Buffer" is not there in a connector\./),
      expect.stringMatching(/index\.js:5:14: Function\(\) makes code of text/),
      expect.stringMatching(/index\.js:5:39: "localStorage" is not there in a connector\. Use ctx\.storage\./),
    ]);
  });

  it('tells of fields without a description', async () => {
    await change([", description: 'Who is greeted.'", '']);
    const checked = await goflowPlugin(dir, 'check', '--json');
    expect(checked.stdout).toMatch(/\/actions\/greet\/input has fields without a description: name\./);
  });
});
