import { MASK, maskedForms } from '../../contract/index.ts';

/** The forms of a session's secrets as they stand in bytes, prepared once. */
export class ByteMask {
  readonly #forms: readonly string[];
  readonly #pattern: RegExp;
  readonly #longest: number;
  readonly #firsts: ReadonlySet<string>;

  /** `null` when there is nothing to mask. */
  static of(secrets: readonly string[]): ByteMask | null {
    // Bytes are looked at as latin1 text: one character each, so that matching works on any content.
    const forms = maskedForms(secrets).map((form) => Buffer.from(form, 'utf8').toString('latin1'));
    return forms.length === 0 ? null : new ByteMask(forms);
  }

  private constructor(forms: readonly string[]) {
    this.#forms = forms;
    this.#pattern = new RegExp(
      forms.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)).join('|'),
      'g',
    );
    this.#longest = Math.max(...forms.map((form) => form.length));
    this.#firsts = new Set(forms.map((form) => form.charAt(0)));
  }

  /** Masks a header value or another short text of latin1 characters. */
  text(value: string): string {
    return value.replace(this.#pattern, MASK);
  }

  stream(): MaskStream {
    return new MaskStream((text, last) => this.#cut(text, last));
  }

  /** Splits into what can be passed on, masked, and the end, which may be the beginning of a secret. */
  #cut(text: string, last: boolean): { done: string; rest: string } {
    const hold = last ? text.length : this.#holdFrom(text);
    let done = '';
    let at = 0;
    for (const match of text.matchAll(this.#pattern)) {
      // A form that begins in what is held back may go on to be a longer one.
      if (match.index >= hold) break;
      done += text.slice(at, match.index) + MASK;
      at = match.index + match[0].length;
    }
    const end = Math.max(at, hold);
    return { done: done + text.slice(at, end), rest: text.slice(end) };
  }

  /** Where the longest end of the text begins that is the beginning of a form. */
  #holdFrom(text: string): number {
    for (let from = Math.max(0, text.length - this.#longest + 1); from < text.length; from++) {
      if (!this.#firsts.has(text.charAt(from))) continue;
      const end = text.slice(from);
      if (this.#forms.some((form) => form.length > end.length && form.startsWith(end))) return from;
    }
    return text.length;
  }
}

/** Masks a body chunk by chunk, also where a secret lies across two of them. */
export class MaskStream {
  readonly #cut: (text: string, last: boolean) => { done: string; rest: string };
  #rest = '';

  constructor(cut: (text: string, last: boolean) => { done: string; rest: string }) {
    this.#cut = cut;
  }

  push(chunk: Uint8Array): Uint8Array {
    return this.#pass(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1'), false);
  }

  end(): Uint8Array {
    return this.#pass('', true);
  }

  #pass(text: string, last: boolean): Uint8Array {
    const { done, rest } = this.#cut(this.#rest + text, last);
    this.#rest = rest;
    return Buffer.from(done, 'latin1');
  }
}
