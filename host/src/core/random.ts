import { randomFillSync } from 'node:crypto';

/** Random bytes are drawn many at a time: a call for a few costs more than what is made of them. */
const POOL_BYTES = 8192;
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/** `bytes` cryptographically random bytes. They are a view: copy or use them before this turn of the event loop ends. */
export function randomSlice(bytes: number): Buffer {
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.subarray(used - bytes, used);
}

/** The same as hexadecimal text. */
export function randomHex(bytes: number): string {
  return randomSlice(bytes).toString('hex');
}
