import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SDK_ROOT, SDK_VERSION } from '../build/package-root.ts';
import { PLUGIN_NAME } from '../contract/index.ts';
import { Failure, usage } from './failure.ts';
import type { Io } from './io.ts';

/** npm leaves out a file of this name when it packs the SDK. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: '.gitignore' };

/** The templates, each with the command that tries it. */
const TEMPLATES: Readonly<Record<string, string>> = {
  action: `goflow-plugin run greet --input '{"name":"Ada"}'`,
  credential: 'goflow-plugin inspect dist/*.goflow.json',
  'http-api': 'goflow-plugin inspect dist/*.goflow.json',
};

/** Makes a project in a new (or empty) folder named after the connector. */
export async function createProject(name: string, chosen: string, io: Io): Promise<void> {
  if (!Object.hasOwn(TEMPLATES, chosen))
    throw usage(`--template: there is no "${chosen}"; there are ${Object.keys(TEMPLATES).join(', ')}.`);
  if (!PLUGIN_NAME.test(name) || name.length > 128) {
    throw usage(
      `${JSON.stringify(name)} is no name for a connector: lower-case letters, digits and "-", at most 64, optionally after "@scope/".`,
    );
  }
  const folder = name.replace('@', '').replace('/', '-');
  const dir = path.resolve(folder);
  await refuseUsed(dir, folder);

  const template = path.join(SDK_ROOT, 'templates', chosen);
  const words = { __NAME__: name, __TITLE__: title(name), __FILE__: folder, __SDK_VERSION__: SDK_VERSION };
  const files = await readdir(template, { recursive: true, withFileTypes: true });
  for (const entry of files.filter((candidate) => candidate.isFile()).sort((a, b) => a.name.localeCompare(b.name))) {
    const source = path.join(entry.parentPath, entry.name);
    const target = path.join(dir, path.dirname(path.relative(template, source)), RENAMED[entry.name] ?? entry.name);
    const text = await readFile(source, 'utf8');
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(
      target,
      text.replaceAll(/__[A-Z_]+__/g, (word) => words[word as keyof typeof words] ?? word),
      { flag: 'wx' },
    );
  }
  io.say(
    `Made ${folder}.\n\n  cd ${folder}\n  goflow-plugin test\n  goflow-plugin build\n  ${TEMPLATES[chosen]}\n  goflow-plugin dev`,
  );
}

async function refuseUsed(dir: string, shown: string): Promise<void> {
  try {
    const found = await readdir(dir);
    if (found.length > 0)
      throw new Failure(`The folder ${shown} is there already and not empty; choose another name or empty it.`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') throw new Failure(`${shown} is a file; choose another name or move it.`);
    if (code !== 'ENOENT') throw error;
  }
}

/** `@acme/my-connector` → `My Connector`. */
function title(name: string): string {
  const words = (name.split('/').at(-1) ?? name).split('-').filter((word) => word !== '');
  return words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join(' ');
}
