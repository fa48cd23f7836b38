import { type EngineMessage } from '../protocol/engine.ts';
import { isEngineBatch } from '../protocol/check.ts';
import { FrameError, FrameReader } from '../protocol/frames.ts';

/**
 * What an engine may send in a second, for itself and for each call on it: above what it lets a call send (see `engine-process/settings.ts`), so
 * that only an engine that does not keep its own rules gets there.
 */
const MAX_MESSAGES = 20_000;
const MAX_BYTES = 128 * 1024 * 1024;

/** Reads what an engine process says, and takes nothing from it on trust. */
export class Intake {
  readonly #reader: FrameReader;
  readonly #calls: () => number;
  #secondAt = 0;
  #messages = 0;
  #bytes = 0;
  /** Most calls that it had in the running second. */
  #most = 0;

  /** `calls` tells how many calls the engine has at the moment. */
  constructor(token: Uint8Array, calls: () => number) {
    this.#reader = new FrameReader(token);
    this.#calls = calls;
  }

  /** The batches that are complete with this chunk; `null` at the first that is malformed, or too much: the engine has to go. */
  *read(chunk: Buffer): Generator<readonly EngineMessage[] | null> {
    try {
      this.#begin(chunk.byteLength);
      for (const batch of this.#reader.read(chunk)) {
        const isGood = isEngineBatch(batch) && !this.#floods(batch.length);
        yield isGood ? batch : null;
        if (!isGood) return;
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      yield null;
    }
  }

  #begin(bytes: number): void {
    const now = performance.now();
    if (now - this.#secondAt > 1000) {
      this.#secondAt = now;
      this.#messages = 0;
      this.#bytes = 0;
      this.#most = 0;
    }
    this.#bytes += bytes;
    this.#most = Math.max(this.#most, this.#calls());
  }

  #floods(messages: number): boolean {
    this.#messages += messages;
    const share = 1 + this.#most;
    // An answer each is always honest: short calls come and go many times in a second.
    return this.#messages > MAX_MESSAGES * share * 4 || this.#bytes > MAX_BYTES * share;
  }
}
