import { concatBytes, copyBytes, isBufferSource, utf8, utf8Text } from './bytes.ts';
import { ReadableStream } from './streams.ts';
import { textOf } from './text.ts';

/** The bytes of a Blob, for our own code: never changed. */
export let blobBytes: (blob: Blob) => Uint8Array<ArrayBuffer>;

const CHUNK = 65_536;

export class Blob {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #type: string;

  static {
    blobBytes = (blob) => blob.#bytes;
  }

  constructor(parts: Iterable<unknown> = [], options: { readonly type?: string; readonly endings?: string } = {}) {
    const pieces: Uint8Array[] = [];
    for (const part of parts) {
      if (isBlob(part)) pieces.push(part.#bytes);
      else pieces.push(isBufferSource(part) ? copyBytes(part) : utf8(String(part)));
    }
    this.#bytes = concatBytes(pieces);
    const type = textOf(options?.type ?? '');
    this.#type = /^[\x20-\x7e]*$/.test(type) ? type.toLowerCase() : '';
  }

  get size(): number {
    return this.#bytes.byteLength;
  }
  get type(): string {
    return this.#type;
  }
  slice(start?: number, end?: number, type = ''): Blob {
    return new Blob([this.#bytes.slice(start, end)], { type });
  }
  async text(): Promise<string> {
    return utf8Text(this.#bytes);
  }
  async bytes(): Promise<Uint8Array> {
    return this.#bytes.slice();
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer;
  }
  stream(): ReadableStream<Uint8Array> {
    const bytes = this.#bytes;
    let at = 0;
    return new ReadableStream<Uint8Array>(
      {
        type: 'bytes',
        pull(controller) {
          if (at < bytes.byteLength) controller.enqueue(bytes.slice(at, at + CHUNK));
          at += CHUNK;
          if (at >= bytes.byteLength) {
            controller.close();
            controller.byobRequest?.respond(0);
          }
        },
      },
      { highWaterMark: 0 },
    );
  }
  get [Symbol.toStringTag](): string {
    return 'Blob';
  }
}

export class File extends Blob {
  readonly #name: string;
  readonly #lastModified: number;
  constructor(
    parts: Iterable<unknown>,
    name: unknown,
    options: { readonly type?: string; readonly lastModified?: number } = {},
  ) {
    super(parts, options);
    this.#name = String(name);
    this.#lastModified = Math.trunc(options?.lastModified ?? Date.now());
  }
  get name(): string {
    return this.#name;
  }
  get lastModified(): number {
    return this.#lastModified;
  }
  override get [Symbol.toStringTag](): string {
    return 'File';
  }
}

export function isBlob(value: unknown): value is Blob {
  try {
    blobBytes(value as Blob);
    return true;
  } catch {
    return false;
  }
}
