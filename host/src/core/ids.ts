import { v7 as uuidv7 } from 'uuid';
import { randomSlice } from './random.ts';

export type IdKind = 'wf' | 'run' | 'cred' | 'key' | 'aud';

/** Random bits at the start of each millisecond's sequence, so that ids of one millisecond sort in the order in which they were made. */
const SEQUENCE_MASK = 0x7fff_ffff;
const bytes = Buffer.alloc(16);
let msecs = 0;
let seq = 0;

/** An opaque id that says what it is and sorts by time: kind, underscore, UUIDv7 (RFC 9562) without dashes. */
export function newId(kind: IdKind): string {
  const random = randomSlice(16);
  const now = Date.now();
  if (now > msecs) {
    msecs = now;
    seq = random.readUInt32BE(0) & SEQUENCE_MASK;
  } else {
    seq = (seq + 1) & SEQUENCE_MASK;
    if (seq === 0) msecs += 1;
  }
  return `${kind}_${uuidv7({ random, msecs, seq }, bytes).toString('hex')}`;
}
