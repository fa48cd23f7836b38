import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { BuildError } from './problem.ts';

/** What a bundle takes from beside the sources. */
export interface ProjectFiles {
  readonly author?: string;
  readonly license?: string;
  /** README.md, LICENSE and icon.svg, as far as they are there, with LF line ends. */
  readonly files: Readonly<Partial<Record<'README.md' | 'LICENSE' | 'icon.svg', string>>>;
}

/** Reads package.json (it may be missing) and the files beside it. */
export async function readProjectFiles(projectDir: string): Promise<ProjectFiles> {
  const files: Record<string, string> = {};
  for (const name of ['README.md', 'LICENSE', 'icon.svg']) {
    const text = await readText(path.join(projectDir, name));
    if (text !== null) files[name] = text.replaceAll('\r\n', '\n');
  }
  const source = await readText(path.join(projectDir, 'package.json'));
  const { author, license } = source === null ? {} : parsePackage(source);
  return { files, ...(author !== undefined && { author }), ...(license !== undefined && { license }) };
}

function parsePackage(source: string): { author?: string; license?: string } {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    throw new BuildError([{ file: 'package.json', message: `is not JSON: ${(error as Error).message}.` }]);
  }
  const { author, license } = (value ?? {}) as { author?: unknown; license?: unknown };
  const name = typeof author === 'object' && author !== null ? (author as { name?: unknown }).name : author;
  return { ...(typeof name === 'string' && { author: name }), ...(typeof license === 'string' && { license }) };
}

async function readText(file: string): Promise<string | null> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new BuildError([
      {
        file: path.basename(file),
        message: code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'is not UTF-8 text.' : (error as Error).message,
      },
    ]);
  }
}
