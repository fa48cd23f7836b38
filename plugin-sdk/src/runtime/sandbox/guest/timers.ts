import { type GuestCall, currentCall, requireCall } from './calls.ts';
import { outer } from './outer.ts';
import { reportThrown } from './reports.ts';

type Callback = (...args: unknown[]) => unknown;
interface Timer {
  readonly key: number;
  readonly callback: Callback;
  readonly args: readonly unknown[];
  readonly repeat: boolean;
}

/** Timers by their number. A call's own are dropped when it ends. */
const timers = new Map<number, Timer>();

function start(
  callback: unknown,
  ms: unknown,
  args: readonly unknown[],
  repeat: boolean,
  call: GuestCall = requireCall('timers'),
): number {
  if (typeof callback !== 'function') throw new TypeError('a timer needs a function: text is not evaluated');
  const delay = Number(ms);
  const id = outer.setTimer(call.key, Number.isNaN(delay) ? 0 : delay, repeat);
  if (id !== 0) timers.set(id, { key: call.key, callback: callback as Callback, args, repeat });
  return id;
}

export function setTimeout(callback: unknown, ms: unknown = 0, ...args: unknown[]): number {
  return start(callback, ms, args, false);
}

/** A timer of a call, whatever the current one is. */
export function setTimeoutFor(call: GuestCall, callback: () => void, ms: unknown): number {
  return start(callback, ms, [], false, call);
}

export function setInterval(callback: unknown, ms: unknown = 0, ...args: unknown[]): number {
  return start(callback, ms, args, true);
}

export function setImmediate(callback: unknown, ...args: unknown[]): number {
  return start(callback, 0, args, false);
}

export function clearTimeout(id: unknown): void {
  if (typeof id !== 'number') return;
  const timer = timers.get(id);
  if (timer === undefined) return;
  timers.delete(id);
  outer.clearTimer(timer.key, id);
}

export function queueMicrotask(callback: unknown): void {
  if (typeof callback !== 'function') throw new TypeError('queueMicrotask needs a function');
  const call = currentCall();
  void runInMicrotask(callback as Callback, call);
}

async function runInMicrotask(callback: Callback, call: GuestCall | undefined): Promise<void> {
  await Promise.resolve();
  try {
    callback();
  } catch (thrown) {
    reportThrown(thrown, 'in a microtask', call);
  }
}

export function reportError(thrown: unknown): void {
  reportThrown(thrown, 'error');
}

/** The outer realm's timer went off. */
export function fireTimer(id: number): void {
  const timer = timers.get(id);
  if (timer === undefined) return;
  if (!timer.repeat) timers.delete(id);
  try {
    timer.callback(...timer.args);
  } catch (thrown) {
    reportThrown(thrown, 'in a timer');
  }
}

/** The outer realm has cleared them already. */
export function forgetTimers(key: number): void {
  for (const [id, timer] of timers) if (timer.key === key) timers.delete(id);
}
