import { compose, type Duplex, Transform, type TransformCallback } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  type Inflate,
} from 'node:zlib';

/** A body coded more often than this is an attack, not an answer. */
const MAX_CODINGS = 3;

/** What a request accepts when the connector does not say. */
export const ACCEPT_ENCODING = 'gzip, deflate, br, zstd';

/**
 * A stream that undoes a `Content-Encoding`. `null`: the body is to be passed on as it is, because there is no coding or an
 * unknown one. `'refused'`: too many codings.
 */
export function createDecoder(contentEncoding: string): Duplex | null | 'refused' {
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length === 0) return null;
  if (codings.length > MAX_CODINGS) return 'refused';
  const streams = codings.toReversed().map(decoderOf);
  if (streams.includes(null)) return null;
  const [first, ...others] = streams.filter((stream) => stream !== null);
  return others.reduce((chain: Duplex | null, next) => (chain === null ? next : compose(chain, next)), first ?? null);
}

/** Answers that are cut off at the end are common; what is there is given, as browsers do. */
const LENIENT = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };

function decoderOf(coding: string): Duplex | null {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip(LENIENT);
    case 'deflate':
      return new Deflate();
    case 'br':
      return createBrotliDecompress({
        flush: constants.BROTLI_OPERATION_FLUSH,
        finishFlush: constants.BROTLI_OPERATION_FLUSH,
      });
    case 'zstd':
      return createZstdDecompress();
    default:
      return null;
  }
}

/** `deflate` means zlib by the standard and raw deflate by what servers do: the first byte tells. */
class Deflate extends Transform {
  #inner: Inflate | ReturnType<typeof createInflateRaw> | null = null;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#inner === null) {
      const inner = ((chunk[0] ?? 0) & 0x0f) === 8 ? createInflate(LENIENT) : createInflateRaw(LENIENT);
      this.#inner = inner;
      inner.on('data', (data: Buffer) => {
        if (!this.push(data)) inner.pause();
      });
      inner.on('error', (error) => this.destroy(error));
    }
    this.#inner.write(chunk, () => done());
  }

  override _read(size: number): void {
    this.#inner?.resume();
    super._read(size);
  }

  override _flush(done: TransformCallback): void {
    if (this.#inner === null) {
      done();
      return;
    }
    this.#inner.once('end', () => done());
    this.#inner.end();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#inner?.destroy();
    done(error);
  }
}
