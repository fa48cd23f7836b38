import { EventTarget, MessageEvent, dispatchTrusted, handlerProperty } from './events.ts';
import { structuredClone } from './structured-clone.ts';
import { setTimeout } from './timers.ts';

/** For our own code. */
let entangle: (a: MessagePort, b: MessagePort) => void;
const FROM_PLATFORM = {};

/** One end of a channel within the compartment: libraries use it to come back in a later turn. */
export class MessagePort extends EventTarget {
  #other: MessagePort | null = null;
  #queue: unknown[] = [];
  #started = false;
  readonly #handler = handlerProperty(this, 'message');

  static {
    entangle = (a, b) => {
      a.#other = b;
      b.#other = a;
    };
  }

  constructor(token?: unknown) {
    if (token !== FROM_PLATFORM) throw new TypeError('MessagePort cannot be constructed: use MessageChannel');
    super();
  }

  postMessage(message: unknown, options: { readonly transfer?: Iterable<unknown> } = {}): void {
    const data = structuredClone(message, options);
    const other = this.#other;
    if (other === null) return;
    other.#queue.push(data);
    if (other.#started) other.#deliverSoon();
  }
  start(): void {
    if (this.#started) return;
    this.#started = true;
    if (this.#queue.length > 0) this.#deliverSoon();
  }
  close(): void {
    if (this.#other !== null) this.#other.#other = null;
    this.#other = null;
    this.#queue = [];
  }
  get onmessage(): unknown {
    return this.#handler.get();
  }
  set onmessage(value: unknown) {
    this.#handler.set(value);
    this.start();
  }

  #deliverSoon(): void {
    setTimeout(() => {
      const [data] = this.#queue.splice(0, 1);
      if (this.#queue.length > 0) this.#deliverSoon();
      dispatchTrusted(this, new MessageEvent('message', { data }));
    }, 0);
  }
}

export class MessageChannel {
  readonly #port1 = new MessagePort(FROM_PLATFORM);
  readonly #port2 = new MessagePort(FROM_PLATFORM);
  constructor() {
    entangle(this.#port1, this.#port2);
  }
  get port1(): MessagePort {
    return this.#port1;
  }
  get port2(): MessagePort {
    return this.#port2;
  }
}
