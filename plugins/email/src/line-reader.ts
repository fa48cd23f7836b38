import { ConnectorError } from '@goflow/plugin-sdk';

/** RFC 5321 allows 512 bytes a line; some servers write more. */
const MAX_LINE = 8192;

/** Reads CRLF lines from a stream of bytes. */
export class LineReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #buffered = '';

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** The next line without its end; null when the peer has ended. */
  async line(): Promise<string | null> {
    for (;;) {
      const end = this.#buffered.indexOf('\n');
      if (end >= 0) {
        const line = this.#buffered.slice(0, end).replace(/\r$/, '');
        this.#buffered = this.#buffered.slice(end + 1);
        return line;
      }
      if (this.#buffered.length > MAX_LINE)
        throw new ConnectorError('SMTP_PROTOCOL', 'the mail server sent a line that does not end');
      const { done, value } = await this.#reader.read();
      if (done) return null;
      this.#buffered += this.#decoder.decode(value, { stream: true });
    }
  }

  /** What arrived before the connection went over to TLS must not count after it: somebody in between could have put it there. */
  get hasMore(): boolean {
    return this.#buffered !== '';
  }

  release(): void {
    this.#reader.releaseLock();
  }
}
