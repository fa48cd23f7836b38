import { readFile } from 'node:fs/promises';
import type { JsonValue } from '@goflow/plugin-sdk/contract';
import { CommandFailure } from './failure.ts';

/** @throws CommandFailure that says what is wrong with the file */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : (error as Error).message;
    throw new CommandFailure(`${file}: ${why}`);
  }
}

/** @throws CommandFailure that says what is wrong with the file */
export async function readJson(file: string): Promise<JsonValue> {
  const text = await readText(file);
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new CommandFailure(`${file}: not JSON: ${(error as Error).message}`);
  }
}
