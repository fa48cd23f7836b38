import { Blob, blobBytes, isBlob } from './blob.ts';
import { concatBytes, copyBytes, isBufferSource, isView, utf8, utf8Text, viewBytes } from './bytes.ts';
import { FormData } from './form-data.ts';
import type { Headers } from './headers.ts';
import { encodeMultipart, parseMultipart } from './multipart.ts';
import { ReadableStream } from './streams.ts';
import { URLSearchParams, parsePairs } from './url-search-params.ts';

/** Where the bytes of an answer come from: asked for one chunk at a time, which is the back-pressure. */
export interface Pull {
  /** The next chunk, `null` at the end. */
  next(): Promise<Uint8Array | null>;
  cancel(): void;
}

/** The content of a Request or Response. A stream is made only when somebody asks for it. */
export class Content {
  #bytes: Uint8Array<ArrayBuffer> | null = null;
  #pull: Pull | null = null;
  #stream: ReadableStream<Uint8Array> | null = null;
  #taken = false;

  static ofBytes(bytes: Uint8Array<ArrayBuffer>): Content {
    const content = new Content();
    content.#bytes = bytes;
    return content;
  }
  static ofPull(pull: Pull): Content {
    const content = new Content();
    content.#pull = pull;
    return content;
  }
  static ofStream(stream: ReadableStream<Uint8Array>): Content {
    if (stream.locked) throw new TypeError('the stream is locked: somebody reads it already');
    const content = new Content();
    content.#stream = stream;
    return content;
  }

  get used(): boolean {
    return this.#taken || (this.#stream !== null && isDisturbed(this.#stream));
  }
  get locked(): boolean {
    return this.#stream?.locked === true;
  }

  get stream(): ReadableStream<Uint8Array> {
    if (this.#stream === null) {
      const pull = this.#pull ?? pullOf(this.#bytes as Uint8Array);
      this.#bytes = null;
      this.#pull = null;
      this.#stream = streamOf(pull);
      if (this.#taken) void this.#stream.getReader();
    }
    return this.#stream;
  }

  /** All bytes; the content counts as used from here on. */
  async take(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.used || this.locked) throw new TypeError('the body has been read already, or is being read');
    this.#taken = true;
    if (this.#bytes !== null) return this.#bytes;
    const pull = this.#pull;
    if (pull !== null) return await collect(() => pull.next());
    const reader = (this.#stream as ReadableStream<Uint8Array>).getReader();
    return await collect(async () => {
      const { done, value } = await reader.read();
      if (done) return null;
      if (!isView(value)) throw new TypeError('a body stream holds bytes (Uint8Array) only');
      return viewBytes(value);
    });
  }

  /** A second content with the same bytes. */
  fork(): Content {
    if (this.used || this.locked) throw new TypeError('a body that has been read cannot be cloned');
    if (this.#bytes !== null) return Content.ofBytes(this.#bytes);
    const [mine, other] = this.stream.tee();
    this.#stream = mine;
    return Content.ofStream(other);
  }

  cancel(): void {
    this.#taken = true;
    this.#pull?.cancel();
  }
}

async function collect(next: () => Promise<Uint8Array | null>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for (let part = await next(); part !== null; part = await next()) parts.push(part);
  return concatBytes(parts);
}

function pullOf(bytes: Uint8Array): Pull {
  let left: Uint8Array | null = bytes.byteLength === 0 ? null : bytes.slice();
  return {
    async next() {
      const chunk = left;
      left = null;
      return chunk;
    },
    cancel() {
      left = null;
    },
  };
}

export function streamOf(pull: Pull): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      type: 'bytes',
      async pull(controller) {
        const chunk = await pull.next();
        if (chunk !== null && chunk.byteLength > 0) {
          controller.enqueue(copyBytes(chunk));
        } else if (chunk === null) {
          controller.close();
          controller.byobRequest?.respond(0);
        }
      },
      cancel() {
        pull.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}

/** `disturbed` is not visible on a stream; the reference implementation keeps it in a field of this name. */
function isDisturbed(stream: ReadableStream): boolean {
  return (stream as unknown as { _disturbed?: boolean })._disturbed === true;
}

/** What a body argument holds, and the content type that it brings. */
export function extractContent(body: unknown): { readonly content: Content; readonly type: string | null } {
  if (body instanceof ReadableStream)
    return { content: Content.ofStream(body as ReadableStream<Uint8Array>), type: null };
  if (isBlob(body)) return { content: Content.ofBytes(blobBytes(body)), type: body.type === '' ? null : body.type };
  if (isBufferSource(body)) return { content: Content.ofBytes(copyBytes(body)), type: null };
  if (body instanceof FormData) {
    const { bytes, type } = encodeMultipart(body);
    return { content: Content.ofBytes(bytes), type };
  }
  const text = Content.ofBytes(utf8(String(body)));
  if (body instanceof URLSearchParams)
    return { content: text, type: 'application/x-www-form-urlencoded;charset=UTF-8' };
  return { content: text, type: 'text/plain;charset=UTF-8' };
}

/** The reading half that Request and Response share. */
export abstract class Body {
  abstract get headers(): Headers;
  protected abstract get content(): Content | null;

  get body(): ReadableStream<Uint8Array> | null {
    return this.content?.stream ?? null;
  }
  get bodyUsed(): boolean {
    return this.content?.used ?? false;
  }
  async bytes(): Promise<Uint8Array> {
    return copyBytes(await this.#take());
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return copyBytes(await this.#take()).buffer;
  }
  async text(): Promise<string> {
    return utf8Text(await this.#take());
  }
  async json(): Promise<unknown> {
    return JSON.parse(utf8Text(await this.#take()));
  }
  async blob(): Promise<Blob> {
    return new Blob([await this.#take()], { type: this.headers.get('content-type') ?? '' });
  }
  async formData(): Promise<FormData> {
    const type = this.headers.get('content-type') ?? '';
    const bytes = await this.#take();
    if (/^multipart\/form-data\b/i.test(type)) return parseMultipart(bytes, type);
    if (!/^application\/x-www-form-urlencoded\b/i.test(type))
      throw new TypeError(`"${type}" is not the type of a form`);
    const form = new FormData();
    for (const [name, value] of parsePairs(utf8Text(bytes))) form.append(name, value);
    return form;
  }

  async #take(): Promise<Uint8Array<ArrayBuffer>> {
    return this.content === null ? new Uint8Array(0) : await this.content.take();
  }
}
