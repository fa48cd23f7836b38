import { concatBytes, copyBytes, utf8 } from './bytes.ts';
import { DOMException } from './dom-exception.ts';
import { outer } from './outer.ts';
import { textOf } from './text.ts';

/** Frees the outer realm's decoder when a TextDecoder is forgotten in the middle of a stream. */
const forgotten = new FinalizationRegistry<number>((decoder) => outer.closeDecoder(decoder));

export class TextEncoder {
  get encoding(): string {
    return 'utf-8';
  }
  encode(text: unknown = ''): Uint8Array<ArrayBuffer> {
    return utf8(String(text));
  }
  encodeInto(source: unknown, destination: Uint8Array): { read: number; written: number } {
    const text = String(source);
    const whole = utf8(text);
    if (whole.byteLength <= destination.byteLength) {
      destination.set(whole);
      return { read: text.length, written: whole.byteLength };
    }
    let read = 0;
    let written = 0;
    for (const character of text) {
      const bytes = utf8(character);
      if (written + bytes.byteLength > destination.byteLength) break;
      destination.set(bytes, written);
      written += bytes.byteLength;
      read += character.length;
    }
    return { read, written };
  }
  get [Symbol.toStringTag](): string {
    return 'TextEncoder';
  }
}

export class TextDecoder {
  readonly #encoding: string;
  readonly #fatal: boolean;
  readonly #ignoreBom: boolean;
  /** A decoder in the outer realm while a stream is being decoded; 0 for none. */
  #open = 0;

  constructor(label: unknown = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const encoding = outer.encodingName(String(label));
    if (encoding === null) throw new RangeError(`"${textOf(label)}" is no encoding that is known here`);
    this.#encoding = encoding;
    this.#fatal = !!options?.fatal;
    this.#ignoreBom = !!options?.ignoreBOM;
  }

  get encoding(): string {
    return this.#encoding;
  }
  get fatal(): boolean {
    return this.#fatal;
  }
  get ignoreBOM(): boolean {
    return this.#ignoreBom;
  }

  decode(input?: unknown, options: { stream?: boolean } = {}): string {
    const bytes = input === undefined ? new Uint8Array(0) : copyBytes(input);
    const stream = !!options?.stream;
    if (this.#open === 0 && !stream && this.#encoding === 'utf-8') {
      return this.#checked(outer.decodeUtf8(bytes, this.#fatal, this.#ignoreBom));
    }
    if (this.#open === 0) {
      this.#open = outer.openDecoder(this.#encoding, this.#fatal, this.#ignoreBom);
      forgotten.register(this, this.#open, this);
    }
    const text = outer.runDecoder(this.#open, bytes, stream);
    if (!stream || text === null) this.#close();
    return this.#checked(text);
  }

  #close(): void {
    forgotten.unregister(this);
    outer.closeDecoder(this.#open);
    this.#open = 0;
  }

  #checked(text: string | null): string {
    if (text === null) throw new TypeError(`the bytes are not ${this.#encoding} text`);
    return text;
  }

  get [Symbol.toStringTag](): string {
    return 'TextDecoder';
  }
}

export function btoa(data: unknown): string {
  const encoded = outer.encodeBase64(String(data));
  if (encoded === null) throw new DOMException('btoa takes characters up to U+00FF', 'InvalidCharacterError');
  return encoded;
}

export function atob(data: unknown): string {
  const decoded = outer.decodeBase64(String(data));
  if (decoded === null) throw new DOMException('the text is not base64', 'InvalidCharacterError');
  return decoded;
}

/** Encodes text that comes in pieces, where a pair of surrogates may be cut in two. */
export class PiecewiseEncoder {
  #high = '';
  push(piece: string): Uint8Array {
    const text = this.#high + piece;
    const last = text.charCodeAt(text.length - 1);
    const cut = last >= 0xd800 && last <= 0xdbff ? 1 : 0;
    this.#high = cut === 1 ? text.slice(-1) : '';
    return utf8(cut === 1 ? text.slice(0, -1) : text);
  }
  end(): Uint8Array {
    const rest = utf8(this.#high);
    this.#high = '';
    return concatBytes([rest]);
  }
}
