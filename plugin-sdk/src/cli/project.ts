import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Failure, usage } from './failure.ts';

/** The folder of the connector that a command works on. */
export function projectDir(): string {
  return process.cwd();
}

/** Reads a file that was named on the command line. */
export async function readNamedFile(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw usage(`${file} does not exist.`);
    if (code === 'EISDIR') throw usage(`${file} is a folder; name a file.`);
    throw new Failure(`${file} cannot be read: ${message}`);
  }
}

/** A JSON value that was given on the command line as text, or as a file that holds it. */
export async function readJsonArgument(option: string, given: string): Promise<unknown> {
  const isText = /^\s*(?:[[{"]|-?\d|true$|false$|null$)/.test(given) && !existsSync(given);
  const text = isText ? given : new TextDecoder().decode(await readNamedFile(path.resolve(given)));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usage(`${option}: ${isText ? 'the text' : given} is not JSON: ${(error as Error).message}`);
  }
}
