import { closeSync, openSync, readSync, statSync } from 'node:fs';
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
  const checksum = sum([0, 0], header, 0, 24, littleEndian);
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
  for (let index = 0; index < frames; index += 1) {
    const frame = read(descriptor, HEADER + index * length, length);
    const stored: Checksum = [frame.readUInt32BE(16), frame.readUInt32BE(20)];
    const current = frame.readUInt32BE(8) === wal.salt1 && frame.readUInt32BE(12) === wal.salt2;
    const fits = current && follows(before, frame, stored, wal.littleEndian);
    if (bad === null && !fits) {
      // Frames of an older generation end the log in the ordinary way; only newer ones behind them would tell of damage.
      bad = index;
    }
    if (bad !== null) {
      if (!fits) commits = 0;
      if (current && frame.readUInt32BE(4) !== 0) commits += 1;
      if (commits >= 2) return { frame: bad, commits };
    }
    before = stored;
  }
  return null;
}

function follows(before: Checksum, frame: Buffer, stored: Checksum, littleEndian: boolean): boolean {
  const made = sum(sum(before, frame, 0, 8, littleEndian), frame, FRAME, frame.length, littleEndian);
  return made[0] === stored[0] && made[1] === stored[1];
}

function sum(start: Checksum, bytes: Buffer, from: number, to: number, littleEndian: boolean): Checksum {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let a = start[0];
  let b = start[1];
  for (let at = from; at < to; at += 8) {
    a = (a + view.getUint32(at, littleEndian) + b) >>> 0;
    b = (b + view.getUint32(at + 4, littleEndian) + a) >>> 0;
  }
  return [a, b];
}

function read(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  readSync(descriptor, bytes, 0, length, position);
  return bytes;
}

function damaged(file: string, what: string, last: string): Refusal {
  return new Refusal(
    'STORE_UNAVAILABLE',
    `write-ahead log ${path.basename(file)} is damaged: ${what}; restore a backup, or ${last}`,
  );
}
