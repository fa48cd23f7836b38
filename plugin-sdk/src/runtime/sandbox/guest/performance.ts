import { EventTarget } from './events.ts';
import { outer } from './outer.ts';

export class Performance extends EventTarget {
  now(): number {
    return outer.now();
  }
  get timeOrigin(): number {
    return outer.timeOrigin();
  }
  toJSON(): { readonly timeOrigin: number } {
    return { timeOrigin: this.timeOrigin };
  }
  override get [Symbol.toStringTag](): string {
    return 'Performance';
  }
}
