import { GoflowError, validationError } from '../../../core/errors.ts';

/** Values between records and rows. */

/** Milliseconds of an RFC 3339 time. */
export function toMs(time: string): number {
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new GoflowError('INTERNAL', `"${time}" is not a time`);
  return ms;
}

export function toMsOrNull(time: string | null): number | null {
  return time === null ? null : toMs(time);
}

export function fromMs(ms: number): string {
  return new Date(ms).toISOString();
}

export function fromMsOrNull(ms: number | null): string | null {
  return ms === null ? null : fromMs(ms);
}

/** Bytes in a buffer of their own: a small Buffer shares its memory with others, all of which would be copied to the thread. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes);
}

/** JSON of a value that is often null, which costs nothing then. */
export function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

/** The value of JSON that this store wrote itself, so its type is known. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- stands for a cast at every caller
export function parsed<T>(json: string): T {
  return JSON.parse(json) as T;
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as above
export function parsedOrNull<T>(json: string | null): T | null {
  return json === null ? null : parsed<T>(json);
}

/** Page sizes as the API has them; whoever asks for more made an error of its own. */
export function checkLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 200) return limit;
  throw validationError([{ pointer: '/limit', message: 'must be an integer from 1 to 200', keyword: 'range' }]);
}
