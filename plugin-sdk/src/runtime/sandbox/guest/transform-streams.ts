import type { ZlibFormat } from '../border.ts';
import { copyBytes, isBufferSource } from './bytes.ts';
import { requireCall } from './calls.ts';
import { PiecewiseEncoder, TextDecoder } from './encoding.ts';
import { outer } from './outer.ts';
import { type ReadableStream, TransformStream, type WritableStream } from './streams.ts';
import { runTask } from './tasks.ts';

/** The two ends of a transform, as each of these classes shows them. */
class Pair<In, Out> {
  readonly #stream: TransformStream<In, Out>;
  constructor(stream: TransformStream<In, Out>) {
    this.#stream = stream;
  }
  get readable(): ReadableStream<Out> {
    return this.#stream.readable;
  }
  get writable(): WritableStream<In> {
    return this.#stream.writable;
  }
}

export class TextEncoderStream extends Pair<unknown, Uint8Array> {
  constructor() {
    const encoder = new PiecewiseEncoder();
    super(
      new TransformStream<unknown, Uint8Array>({
        transform(chunk, controller) {
          const bytes = encoder.push(String(chunk));
          if (bytes.byteLength > 0) controller.enqueue(bytes);
        },
        flush(controller) {
          const bytes = encoder.end();
          if (bytes.byteLength > 0) controller.enqueue(bytes);
        },
      }),
    );
  }
  get encoding(): string {
    return 'utf-8';
  }
}

export class TextDecoderStream extends Pair<unknown, string> {
  readonly #decoder: TextDecoder;
  constructor(label: unknown = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const decoder = new TextDecoder(label, options);
    super(
      new TransformStream<unknown, string>({
        transform(chunk, controller) {
          const text = decoder.decode(chunk, { stream: true });
          if (text !== '') controller.enqueue(text);
        },
        flush(controller) {
          const text = decoder.decode();
          if (text !== '') controller.enqueue(text);
        },
      }),
    );
    this.#decoder = decoder;
  }
  get encoding(): string {
    return this.#decoder.encoding;
  }
  get fatal(): boolean {
    return this.#decoder.fatal;
  }
  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM;
  }
}

const FORMATS: readonly string[] = ['gzip', 'deflate', 'deflate-raw'];

export class CompressionStream extends Pair<unknown, Uint8Array> {
  constructor(format: ZlibFormat) {
    super(zlibStream(format, 'compress'));
  }
}

export class DecompressionStream extends Pair<unknown, Uint8Array> {
  constructor(format: ZlibFormat) {
    super(zlibStream(format, 'decompress'));
  }
}

function zlibStream(format: ZlibFormat, direction: 'compress' | 'decompress'): TransformStream<unknown, Uint8Array> {
  if (!FORMATS.includes(format)) throw new TypeError(`"${format}" is not one of ${FORMATS.join(', ')}`);
  requireCall('compression');
  const id = outer.openZlib(format, direction);
  async function run(kind: 'zlib.write' | 'zlib.end', chunk: Uint8Array | null): Promise<Uint8Array> {
    try {
      return (await runTask(kind, [id, chunk])) as Uint8Array;
    } catch (error) {
      outer.closeZlib(id);
      throw new TypeError(`${direction}: ${(error as Error).message}`, { cause: error });
    }
  }
  return new TransformStream<unknown, Uint8Array>({
    async transform(chunk, controller) {
      if (!isBufferSource(chunk)) throw new TypeError('a compression stream takes bytes');
      const out = await run('zlib.write', copyBytes(chunk));
      if (out.byteLength > 0) controller.enqueue(out);
    },
    async flush(controller) {
      const out = await run('zlib.end', null);
      if (out.byteLength > 0) controller.enqueue(out);
    },
  });
}
