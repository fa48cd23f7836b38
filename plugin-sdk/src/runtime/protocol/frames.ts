import { DefaultSerializer, deserialize } from 'node:v8';

/**
 * Host process ⇄ engine process, over a pipe of our own: a length (4 bytes, big endian), the token of the channel, a value as V8 serialises it.
 *
 * Not Node's IPC channel, because that trusts its peer: twelve bytes of garbage, or a message `{ cmd: 'NODE_HANDLE_ACK' }`, throw inside Node's own
 * reader and end the host.
 *
 * There is a token for each direction. They are the first that the host sends, before the engine has any thread. A worker thread shares the pipe's descriptor with
 * the engine's main thread, but not its memory: it cannot say anything in the engine's name, whatever it reads of what the host says.
 */

export const TOKEN_BYTES = 16;
/** Largest frame, in bytes: one body of a request, which has at most 64 MiB, or many small messages. */
export const MAX_FRAME_BYTES = 256 * 1024 * 1024;
const HEADER_BYTES = 4 + TOKEN_BYTES;

/** The descriptor that an engine process finds its pipe at. */
export const PIPE_FD = 3;

/** A value as one frame. */
export function encodeFrame(value: unknown, token: Uint8Array): Buffer {
  const serializer = new DefaultSerializer();
  serializer.writeRawBytes(Buffer.alloc(4));
  serializer.writeRawBytes(token);
  serializer.writeHeader();
  serializer.writeValue(value);
  const frame = serializer.releaseBuffer();
  frame.writeUInt32BE(frame.byteLength - HEADER_BYTES, 0);
  return frame;
}

/** A batch as frames: several when it is too large for one. */
export function encodeBatch(batch: readonly unknown[], token: Uint8Array): Buffer[] {
  const frame = encodeFrame(batch, token);
  if (frame.byteLength <= MAX_FRAME_BYTES || batch.length < 2) return [frame];
  const middle = batch.length >> 1;
  return [...encodeBatch(batch.slice(0, middle), token), ...encodeBatch(batch.slice(middle), token)];
}

/** What arrived is not of this channel: nothing more can be read from it. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** Puts frames together again. Memory is taken as bytes arrive, never for a length that was only announced. */
export class FrameReader {
  readonly #token: Uint8Array;
  #parts: Buffer[] = [];
  #size = 0;
  /** Bytes that the next step needs. */
  #wanted = HEADER_BYTES;

  constructor(token: Uint8Array) {
    this.#token = token;
  }

  /** The values that are complete with this chunk. Throws a `FrameError`; then the reader is of no further use. */
  *read(chunk: Buffer): Generator {
    this.#parts.push(chunk);
    this.#size += chunk.byteLength;
    while (this.#size >= this.#wanted) {
      const whole = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts, this.#size);
      this.#parts = [whole];
      const end = HEADER_BYTES + this.#lengthOf(whole);
      this.#wanted = end;
      if (whole.byteLength < end) return;
      this.#parts = whole.byteLength > end ? [whole.subarray(end)] : [];
      this.#size -= end;
      this.#wanted = HEADER_BYTES;
      yield valueOf(whole.subarray(HEADER_BYTES, end));
    }
  }

  #lengthOf(whole: Buffer): number {
    if (whole.compare(this.#token, 0, TOKEN_BYTES, 4, HEADER_BYTES) !== 0) throw new FrameError('not of this channel');
    const length = whole.readUInt32BE(0);
    if (length > MAX_FRAME_BYTES) throw new FrameError('too large');
    return length;
  }
}

function valueOf(bytes: Buffer): unknown {
  try {
    return deserialize(bytes);
  } catch {
    throw new FrameError('not a value');
  }
}
