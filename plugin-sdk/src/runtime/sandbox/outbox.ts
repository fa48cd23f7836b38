import type { MessagePort } from 'node:worker_threads';
import type { LaneEvent } from '../protocol/worker.ts';

/** Collects the events of one event-loop turn and posts them as one array, because a message each costs several times as much. */
export class Outbox {
  readonly #port: MessagePort;
  #events: LaneEvent[] = [];
  #scheduled = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  push(event: LaneEvent): void {
    this.#events.push(event);
    if (this.#scheduled) return;
    // In this order: if a connector has brought the stack so near its end that this throws, the next push tries again.
    setImmediate(this.#flushTurn);
    this.#scheduled = true;
  }

  /** Posts at once, for what must be seen even if the thread never comes back to its event loop. */
  pushNow(event: LaneEvent): void {
    this.#events.push(event);
    this.flush();
  }

  flush(): void {
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#port.postMessage(events, []);
  }

  readonly #flushTurn = (): void => {
    this.#scheduled = false;
    this.flush();
  };
}
