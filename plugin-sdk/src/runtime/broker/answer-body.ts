import type { Duplex } from 'node:stream';
import { MAX_RESPONSE_BYTES } from '../../contract/index.ts';
import { BodyQueue } from './body-queue.ts';
import { createDecoder } from './decode.ts';
import { type BrokerError, unusableAnswer } from './errors.ts';
import type { MaskStream } from './mask-stream.ts';

export interface AnswerBodyOptions {
  /** Who answers, for messages. */
  readonly target: string;
  readonly contentEncoding: string;
  readonly mask: MaskStream | null;
  /** Stops and restarts the delivery of bytes from the network. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** The body is of no use: no more bytes are wanted. */
  readonly refuse: (error: BrokerError) => void;
}

/** What happens to a body between the network and the connector: decompressed, counted, masked, queued. */
export class AnswerBody {
  readonly queue = new BodyQueue();
  readonly #options: AnswerBodyOptions;
  readonly #decoder: Duplex | null;
  #length = 0;

  constructor(options: AnswerBodyOptions) {
    this.#options = options;
    const decoder = createDecoder(options.contentEncoding);
    this.#decoder = decoder === 'refused' ? null : decoder;
    this.queue.onDrain = options.resume;
    if (decoder === 'refused') this.#refuse('is compressed more often than is undone');
    if (this.#decoder !== null) this.#attach(this.#decoder);
  }

  write(chunk: Uint8Array): void {
    if (!this.queue.open) return;
    if (this.#decoder === null) this.#deliver(chunk, this.#options.pause);
    else if (!this.#decoder.write(chunk)) this.#options.pause();
  }

  /** All bytes have come from the network. */
  end(): void {
    if (this.#decoder === null) this.#finish();
    else this.#decoder.end();
  }

  fail(error: Error): void {
    this.queue.fail(error);
    this.#decoder?.destroy();
  }

  #attach(decoder: Duplex): void {
    this.queue.onDrain = () => decoder.resume();
    decoder.on('data', (chunk: Buffer) => this.#deliver(chunk, () => decoder.pause()));
    decoder.on('drain', this.#options.resume);
    decoder.on('end', () => this.#finish());
    decoder.on('error', () => this.#refuse('could not be decompressed'));
  }

  #deliver(chunk: Uint8Array, stop: () => void): void {
    this.#length += chunk.byteLength;
    if (this.#length > MAX_RESPONSE_BYTES) {
      this.#refuse(`is larger than ${MAX_RESPONSE_BYTES / 1024 / 1024} MB, the most that an answer may have`);
      return;
    }
    const { mask } = this.#options;
    if (!this.queue.push(mask === null ? chunk : mask.push(chunk))) stop();
  }

  #finish(): void {
    const { mask } = this.#options;
    if (mask !== null) this.queue.push(mask.end());
    this.queue.end();
  }

  #refuse(why: string): void {
    if (!this.queue.open) return;
    const error = unusableAnswer(`the answer of ${this.#options.target} ${why}`, { host: this.#options.target });
    this.fail(error);
    this.#options.refuse(error);
  }
}
