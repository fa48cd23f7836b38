import type { EngineMessage } from '../protocol/engine.ts';

/** Messages to the host, sent as one array per event-loop turn: a message each costs four times as much. */
export class Outbox {
  #batch: EngineMessage[] = [];
  #scheduled = false;
  readonly #write: (batch: EngineMessage[]) => void;

  constructor(write: (batch: EngineMessage[]) => void) {
    this.#write = write;
  }

  send(message: EngineMessage): void {
    this.#batch.push(message);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#scheduled = false;
    this.#write(batch);
  }
}
