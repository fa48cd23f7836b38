import { DOMException } from './dom-exception.ts';
import { reportThrown } from './reports.ts';

interface EventInit {
  readonly bubbles?: boolean;
  readonly cancelable?: boolean;
  readonly composed?: boolean;
}
type Listener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown } | null;
interface ListenerOptions {
  readonly capture?: boolean;
  readonly once?: boolean;
  readonly signal?: AbortSignalLike;
}
interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: string, listener: () => void, options?: ListenerOptions): void;
}
interface Registered {
  readonly type: string;
  readonly callback: NonNullable<Listener>;
  readonly capture: boolean;
  readonly once: boolean;
  removed: boolean;
}

/** Sets what only our own dispatch may set. */
let update: (event: Event, state: { target?: EventTarget | null; dispatching?: boolean; trusted?: boolean }) => void;
let halted: (event: Event) => boolean;
/** Not by way of `dispatchEvent`, which a connector may have replaced. */
let dispatch: (target: EventTarget, event: Event) => boolean;

export class Event {
  static readonly NONE = 0;
  static readonly CAPTURING_PHASE = 1;
  static readonly AT_TARGET = 2;
  static readonly BUBBLING_PHASE = 3;
  readonly #type: string;
  readonly #init: EventInit;
  readonly #time = Date.now();
  #target: EventTarget | null = null;
  #current: EventTarget | null = null;
  #dispatching = false;
  #trusted = false;
  #stopped = false;
  #prevented = false;

  static {
    update = (event, state) => {
      if (state.target !== undefined) event.#target = state.target;
      if (state.trusted !== undefined) event.#trusted = state.trusted;
      if (state.dispatching !== undefined) {
        if (state.dispatching && event.#dispatching) {
          throw new DOMException('the event is being dispatched already', 'InvalidStateError');
        }
        event.#dispatching = state.dispatching;
        event.#current = state.dispatching ? event.#target : null;
        if (state.dispatching) event.#stopped = false;
      }
    };
    halted = (event) => event.#stopped;
  }

  constructor(type: unknown, init: EventInit = {}) {
    this.#type = String(type);
    this.#init = { bubbles: !!init.bubbles, cancelable: !!init.cancelable, composed: !!init.composed };
  }

  get type(): string {
    return this.#type;
  }
  get target(): EventTarget | null {
    return this.#target;
  }
  get srcElement(): EventTarget | null {
    return this.#target;
  }
  get currentTarget(): EventTarget | null {
    return this.#current;
  }
  get bubbles(): boolean {
    return this.#init.bubbles === true;
  }
  get cancelable(): boolean {
    return this.#init.cancelable === true;
  }
  get composed(): boolean {
    return this.#init.composed === true;
  }
  get defaultPrevented(): boolean {
    return this.#prevented;
  }
  get eventPhase(): number {
    return this.#dispatching ? Event.AT_TARGET : Event.NONE;
  }
  get isTrusted(): boolean {
    return this.#trusted;
  }
  get timeStamp(): number {
    return this.#time;
  }
  composedPath(): EventTarget[] {
    return this.#dispatching && this.#target !== null ? [this.#target] : [];
  }
  preventDefault(): void {
    if (this.cancelable) this.#prevented = true;
  }
  stopPropagation(): void {}
  stopImmediatePropagation(): void {
    this.#stopped = true;
  }
  get [Symbol.toStringTag](): string {
    return 'Event';
  }
}

export class CustomEvent extends Event {
  readonly #detail: unknown;
  constructor(type: unknown, init: EventInit & { readonly detail?: unknown } = {}) {
    super(type, init);
    this.#detail = init.detail ?? null;
  }
  get detail(): unknown {
    return this.#detail;
  }
}

export class MessageEvent extends Event {
  readonly #data: unknown;
  constructor(type: unknown, init: EventInit & { readonly data?: unknown } = {}) {
    super(type, init);
    this.#data = init.data ?? null;
  }
  get data(): unknown {
    return this.#data;
  }
}

export class EventTarget {
  #listeners: Registered[] = [];

  static {
    dispatch = (target, event) => {
      update(event, { target });
      update(event, { dispatching: true });
      try {
        for (const listener of target.#listeners.filter((l) => l.type === event.type)) {
          if (listener.removed) continue;
          if (listener.once) {
            target.removeEventListener(listener.type, listener.callback, { capture: listener.capture });
          }
          callListener(target, listener.callback, event);
          if (halted(event)) break;
        }
      } finally {
        update(event, { dispatching: false });
      }
      return !event.defaultPrevented;
    };
  }

  addEventListener(type: unknown, callback: Listener, options: ListenerOptions | boolean = {}): void {
    if (callback === null || callback === undefined) return;
    const { capture = false, once = false, signal } = typeof options === 'object' ? options : { capture: options };
    if (signal?.aborted === true) return;
    const name = String(type);
    if (this.#listeners.some((l) => l.type === name && l.callback === callback && l.capture === capture)) return;
    this.#listeners.push({ type: name, callback, capture, once, removed: false });
    signal?.addEventListener('abort', () => this.removeEventListener(name, callback, { capture }), {
      once: true,
    });
  }

  removeEventListener(type: unknown, callback: Listener, options: ListenerOptions | boolean = {}): void {
    const name = String(type);
    const { capture = false } = typeof options === 'object' ? options : { capture: options };
    this.#listeners = this.#listeners.filter((l) => {
      const match = l.type === name && l.callback === callback && l.capture === capture;
      if (match) l.removed = true;
      return !match;
    });
  }

  dispatchEvent(event: Event): boolean {
    return dispatch(this, event);
  }

  get [Symbol.toStringTag](): string {
    return 'EventTarget';
  }
}

function callListener(target: EventTarget, callback: NonNullable<Listener>, event: Event): void {
  try {
    if (typeof callback === 'function') Reflect.apply(callback, target, [event]);
    else callback.handleEvent(event);
  } catch (thrown) {
    reportThrown(thrown, `in a listener for "${event.type}"`);
  }
}

/** An event made and sent by the platform. */
export function dispatchTrusted(target: EventTarget, event: Event): void {
  update(event, { trusted: true });
  dispatch(target, event);
}

/** An `on…` property: a listener that takes the place of the one before. */
export function handlerProperty(target: EventTarget, type: string): { get(): Listener; set(value: unknown): void } {
  let handler: Listener = null;
  const forward = (event: Event): unknown =>
    typeof handler === 'function' ? Reflect.apply(handler, target, [event]) : undefined;
  return {
    get: () => handler,
    set(value) {
      handler = typeof value === 'function' ? (value as Listener) : null;
      if (handler === null) target.removeEventListener(type, forward);
      else target.addEventListener(type, forward);
    },
  };
}
