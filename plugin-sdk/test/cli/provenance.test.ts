import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseBundle } from '../../src/contract/index.ts';
import { emptyFolder, goflowPlugin } from './support.ts';

let dir: string;
let copy: string;
const bundle = 'dist/traced-0.1.0.goflow.json';

beforeAll(async () => {
  const folder = await emptyFolder();
  await goflowPlugin(folder, 'init', 'traced');
  dir = path.join(folder, 'traced');
  for (const [name, version, code] of [
    ['used', '1.2.3', "export const used = 'yes';"],
    ['@acme/also', '2.0.0', "export const also = 'too';"],
    ['shaken', '9.9.9', "export const shaken = 'no';"],
  ] as const) {
    const at = path.join(dir, 'node_modules', name);
    await mkdir(at, { recursive: true });
    await writeFile(
      path.join(at, 'package.json'),
      JSON.stringify({ name, version, license: 'MIT', type: 'module', main: 'index.js', sideEffects: false }),
    );
    await writeFile(path.join(at, 'index.js'), code);
  }
  const source = path.join(dir, 'src/index.ts');
  const text = await readFile(source, 'utf8');
  await writeFile(
    source,
    `import { used } from 'used';\nimport { also } from '@acme/also';\nimport { shaken } from 'shaken';\nvoid shaken;\n${text.replace('const name =', 'ctx.log.debug(used + also);\n        const name =')}`,
  );
  copy = path.join(await emptyFolder(), 'elsewhere');
  await cp(dir, copy, { recursive: true });
  expect(await goflowPlugin(dir, 'build', '--sbom')).toMatchObject({ status: 0 });
});

describe('build --sbom', () => {
  it('names the packages whose code is in the bundle, in CycloneDX', async () => {
    const { bundle: built } = parseBundle(await readFile(path.join(dir, bundle)));
    const text = await readFile(path.join(dir, 'dist/traced-0.1.0.cdx.json'), 'utf8');
    expect(built.files['sbom.json']).toBe(text);
    const bom = JSON.parse(text) as { components: Array<{ purl: string }> };
    expect(bom).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      metadata: { component: { name: 'traced', version: '0.1.0' } },
    });
    expect(bom.components.map(({ purl }) => purl.replace(/(?<=plugin-sdk@).*/, 'X'))).toEqual([
      'pkg:npm/%40acme/also@2.0.0',
      'pkg:npm/%40goflow/plugin-sdk@X',
      'pkg:npm/used@1.2.3',
    ]);
    expect(bom.components[2]).toMatchObject({ type: 'library', licenses: [{ expression: 'MIT' }] });
  });
});

describe('verify --source', () => {
  it('proves that a build elsewhere gives the same digest', async () => {
    const verified = await goflowPlugin(dir, 'verify', bundle, '--source', copy);
    expect(verified.stderr).toMatch(/is what .*elsewhere gives\.$/m);
    expect(verified.status).toBe(0);
  });

  it('tells what is different in other sources', async () => {
    const changed = path.join(await emptyFolder(), 'changed');
    await cp(copy, changed, { recursive: true });
    const source = path.join(changed, 'src/index.ts');
    await writeFile(
      source,
      (await readFile(source, 'utf8')).replace('Hello', 'Bye').replace("title: 'Greet'", "title: 'G'"),
    );
    await rm(path.join(changed, 'README.md'));
    const verified = await goflowPlugin(dir, 'verify', bundle, '--source', changed);
    expect(verified.status).toBe(1);
    expect(verified.stderr).toMatch(/\/manifest\/actions differs/);
    expect(verified.stderr).toMatch(/plugin\.js differs from line \d+ on/);
    expect(verified.stderr).toMatch(/README\.md is only in the bundle/);
  });

  it('wants to know what to check', async () => {
    expect(await goflowPlugin(dir, 'verify', bundle)).toMatchObject({ status: 2 });
  });
});
