/**
 * Chunks between the network and a reader that asks for them one at a time. The writer is told when to stop and, through
 * `onDrain`, when to go on: that is how far a slow reader holds back a fast server.
 */
export class BodyQueue {
  /** Buffered bytes at which the writer has to stop. */
  static readonly HIGH_WATER = 256 * 1024;

  #chunks: Uint8Array[] = [];
  #size = 0;
  #state: 'open' | 'ended' | 'failed' = 'open';
  #error: Error | null = null;
  #full = false;
  #reader: PromiseWithResolvers<Uint8Array | null> | null = null;
  #change: (() => void) | null = null;
  /** Called when there is room again after `push` returned `false`. */
  onDrain: () => void = () => {};

  get ended(): boolean {
    return this.#state === 'ended';
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  get size(): number {
    return this.#size;
  }

  /** `false`: stop until `onDrain`. */
  push(chunk: Uint8Array): boolean {
    if (this.#state !== 'open' || chunk.byteLength === 0) return true;
    this.#chunks.push(chunk);
    this.#size += chunk.byteLength;
    this.#settle();
    this.#full = this.#size >= BodyQueue.HIGH_WATER;
    return !this.#full;
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#settle();
  }

  /** What was buffered is dropped: a body that broke off is not to be taken for a whole one. */
  fail(error: Error): void {
    if (this.#state === 'failed' || (this.#state === 'ended' && this.#size === 0)) return;
    this.#state = 'failed';
    this.#error = error;
    this.#chunks = [];
    this.#size = 0;
    this.#settle();
  }

  /** Everything that is buffered, or the next that comes; `null` at the end. One reader at a time. */
  async read(): Promise<Uint8Array | null> {
    if (this.#reader !== null) throw new Error('there is a reader already');
    this.#reader = Promise.withResolvers();
    const { promise } = this.#reader;
    this.#settle();
    return await promise;
  }

  get reading(): boolean {
    return this.#reader !== null;
  }

  /** Resolves when the body has ended or failed, or more than `bytes` are buffered. */
  complete(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#change = () => {
        if (this.#state === 'open' && this.#size <= bytes) return;
        this.#change = null;
        resolve();
      };
      this.#change();
    });
  }

  /** Takes what is buffered, in memory of its own: the chunks may be parts of buffers that others share. */
  take(): Uint8Array {
    const all = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.byteLength;
    }
    this.#chunks = [];
    this.#size = 0;
    if (this.#full) {
      this.#full = false;
      this.onDrain();
    }
    return all;
  }

  #settle(): void {
    this.#change?.();
    const reader = this.#reader;
    if (reader === null || (this.#state === 'open' && this.#size === 0)) return;
    // Before anything is taken: room for more makes the writer push again at once.
    this.#reader = null;
    if (this.#state === 'failed') reader.reject(this.#error as Error);
    else reader.resolve(this.#size > 0 ? this.take() : null);
  }
}
