import { GoflowError } from '../core/errors.ts';

/** As much of the ustar format as a backup needs: regular files, so that `tar -tvf` shows what is in one. */

const BLOCK = 512;
/** What eleven octal digits hold; larger sizes are written in base 256, as GNU tar and libarchive read them. */
const MAX_OCTAL = 8 ** 11;

export interface TarEntry {
  readonly name: string;
  readonly size: number;
}

/** Two empty blocks end the archive. */
export const TAR_END: Uint8Array = new Uint8Array(2 * BLOCK);

export function tarHeader({ name, size }: TarEntry, mtime: Date): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(name) > 100) throw new GoflowError('INTERNAL', `the name ${name} is too long for a backup`);
  block.write(name, 0);
  octal(block, 0o600, 100, 8);
  octal(block, 0, 108, 8);
  octal(block, 0, 116, 8);
  if (size < MAX_OCTAL) octal(block, size, 124, 12);
  else {
    block.writeUInt8(0x80, 124);
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  octal(block, Math.floor(mtime.getTime() / 1000), 136, 12);
  block.write('0', 156);
  block.write('ustar\x0000', 257, 'latin1');
  block.fill(' ', 148, 156);
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Null: the end of the archive. Throws for what is no header of a regular file. */
export function readTarHeader(block: Buffer): TarEntry | null {
  if (block.every((byte) => byte === 0)) return null;
  const sum = parseInt(text(block, 148, 8).trim(), 8);
  block.fill(' ', 148, 156);
  if (sum !== checksum(block)) throw new GoflowError('INTERNAL', 'it is not a backup, or it is damaged');
  const kind = text(block, 156, 1);
  const name = text(block, 0, 100);
  if (kind !== '0' && kind !== '')
    throw new GoflowError('INTERNAL', `${JSON.stringify(name)} in it is no regular file`);
  const size = block[124] === 0x80 ? Number(block.readBigUInt64BE(128)) : parseInt(text(block, 124, 12).trim(), 8);
  if (!Number.isSafeInteger(size) || size < 0) throw new GoflowError('INTERNAL', 'a size in it cannot be read');
  return { name, size };
}

/** Bytes after a file of this size up to the next block. */
export function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

export const TAR_BLOCK = BLOCK;

function octal(block: Buffer, value: number, at: number, length: number): void {
  block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
}

function text(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString('utf8', at, end === -1 || end > at + length ? at + length : end);
}

function checksum(block: Buffer): number {
  let sum = 0;
  for (const byte of block) sum += byte;
  return sum;
}
