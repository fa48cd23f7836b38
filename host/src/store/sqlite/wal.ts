import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { endianness } from 'node:os';
import path from 'node:path';
import { Refusal } from './failure.ts';

/**
 * SQLite reads a write-ahead log up to the first frame that does not fit its checksum and takes the rest for the torn end of a commit that a
 * crash cut off. A damaged frame in the middle would so drop every commit after it without a word. This check tells the two apart before the log
 * is opened: with `synchronous = FULL` only the last commit can be torn, so two commits in an unbroken chain behind a bad frame are damage.
 * The format: https://www.sqlite.org/fileformat2.html#walformat
 */
export function checkWal(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= HEADER) return;
  const descriptor = openSync(file, 'r');
  try {
    const header = read(descriptor, 0, HEADER);
    if (header.every((byte) => byte === 0)) return;
    const wal = parseHeader(header);
    if (wal === null) {
      throw damaged(file, 'its header cannot be read', `delete ${file} to go on without what it holds`);
    }
    const bad = findDamage(descriptor, size, wal);
    if (bad !== null) {
      const keep = HEADER + bad.frame * (FRAME + wal.pageSize);
      throw damaged(
        file,
        `frame ${bad.frame + 1} does not fit its checksum and ${bad.commits} commits stand behind it`,
        `cut it there (truncate -s ${keep} ${file}) to go on without them`,
      );
    }
  } finally {
    closeSync(descriptor);
  }
}

const HEADER = 32;
const FRAME = 24;
const FRAMES_AT_ONCE = 256;

interface Wal {
  readonly pageSize: number;
  readonly littleEndian: boolean;
  readonly salt1: number;
  readonly salt2: number;
  readonly checksum: Checksum;
}

type Checksum = readonly [number, number];

function parseHeader(header: Buffer): Wal | null {
  const magic = header.readUInt32BE(0);
  if (magic !== 0x377f0682 && magic !== 0x377f0683) return null;
  const littleEndian = magic === 0x377f0682;
  const pageSize = header.readUInt32BE(8);
  const checksum = sum([0, 0], wordsOf(header, littleEndian), 0, 6);
  if (checksum[0] !== header.readUInt32BE(24) || checksum[1] !== header.readUInt32BE(28)) return null;
  if (pageSize < 512 || pageSize > 65536) return null;
  return { pageSize, littleEndian, salt1: header.readUInt32BE(16), salt2: header.readUInt32BE(20), checksum };
}

/** The first frame (from 0) that breaks the chain, when commits stand behind it that were complete. */
function findDamage(
  descriptor: number,
  size: number,
  wal: Wal,
): { readonly frame: number; readonly commits: number } | null {
  const length = FRAME + wal.pageSize;
  const frames = Math.floor((size - HEADER) / length);
  let before: Checksum = wal.checksum;
  let bad: number | null = null;
  // Commits in the unbroken chain that is being followed behind the bad frame.
  let commits = 0;
  for (let from = 0; from < frames; from += FRAMES_AT_ONCE) {
    const count = Math.min(FRAMES_AT_ONCE, frames - from);
    const bytes = read(descriptor, HEADER + from * length, count * length);
    const words = wordsOf(bytes, wal.littleEndian);
    for (let index = 0; index < count; index += 1) {
      const at = index * length;
      const stored: Checksum = [bytes.readUInt32BE(at + 16), bytes.readUInt32BE(at + 20)];
      const current = bytes.readUInt32BE(at + 8) === wal.salt1 && bytes.readUInt32BE(at + 12) === wal.salt2;
      const fits = current && follows(before, words, at / 4, length / 4, stored);
      // Frames of an older generation end the log in the ordinary way; only newer ones behind them would tell of damage.
      if (!fits) {
        bad ??= from + index;
        commits = 0;
      }
      if (bad !== null && current && bytes.readUInt32BE(at + 4) !== 0) commits += 1;
      if (bad !== null && commits >= 2) return { frame: bad, commits };
      before = stored;
    }
  }
  return null;
}

/** Whether the checksum of a frame continues the one before: it covers the first two words of its header and the page. */
function follows(before: Checksum, words: Uint32Array, start: number, length: number, stored: Checksum): boolean {
  const made = sum(sum(before, words, start, start + 2), words, start + FRAME / 4, start + length);
  return made[0] === stored[0] && made[1] === stored[1];
}

function sum(start: Checksum, words: Uint32Array, from: number, to: number): Checksum {
  let a = start[0] | 0;
  let b = start[1] | 0;
  for (let at = from; at < to; at += 2) {
    a = (a + (words[at] as number) + b) | 0;
    b = (b + (words[at + 1] as number) + a) | 0;
  }
  return [a >>> 0, b >>> 0];
}

/** The log says which order of bytes its checksums were made with: that of the machine that began it. */
function wordsOf(bytes: Buffer, littleEndian: boolean): Uint32Array {
  const own = littleEndian === (endianness() === 'LE') ? bytes : copyOf(bytes).swap32();
  return new Uint32Array(own.buffer, own.byteOffset, own.byteLength / 4);
}

function copyOf(bytes: Buffer): Buffer {
  return Buffer.from(Uint8Array.from(bytes).buffer);
}

function read(descriptor: number, position: number, length: number): Buffer {
  // Not from the pool, whose slices need not begin at a whole word.
  const bytes = Buffer.from(new ArrayBuffer(length));
  readSync(descriptor, bytes, 0, length, position);
  return bytes;
}

function damaged(file: string, what: string, last: string): Refusal {
  return new Refusal(
    'STORE_UNAVAILABLE',
    `write-ahead log ${path.basename(file)} is damaged: ${what}; restore a backup, or ${last}`,
  );
}
