import guestSource from 'goflow:guest';
import type { Guest, Outer } from './border.ts';
import { calls } from './endowments/calls.ts';
import type { AnyEndowment, Scope } from './endowments/endowment.ts';
import { tasks } from './endowments/tasks.ts';
import { text } from './endowments/text.ts';
import { timers } from './endowments/timers.ts';
import { url } from './endowments/url.ts';

declare function harden<T>(value: T): T;
declare const Compartment: new (options: {
  readonly __options__: true;
  readonly globals: object;
}) => {
  readonly globalThis: Record<string, unknown>;
  evaluate(source: string, options?: Readonly<Record<string, unknown>>): unknown;
};

const ENDOWMENTS: readonly AnyEndowment[] = [calls, timers, url, text, tasks];

/** A tenant's compartment with the bundle's code in it. Module state of the bundle lives here and nowhere else. */
export interface Tenant {
  readonly guest: Guest;
  /** Takes every power back. */
  readonly dispose: () => void;
}

/** Makes a compartment and boots the guest half in it; the bundle's code is loaded by `Guest.load`. */
export function makeTenant(endowed: Readonly<Record<string, unknown>>, scope: Omit<Scope, 'guest'>): Tenant {
  const compartment = new Compartment({ __options__: true, globals: endowed });
  let guest: Guest | undefined;
  const made = ENDOWMENTS.map(({ names, make }) => ({ names, ...make({ ...scope, guest: () => guest! }) }));
  const outer = harden({
    ...Object.fromEntries(made.flatMap(({ names, values }) => names.map((name) => [name, values[name]]))),
    evaluate: (source: string) => compartment.evaluate(source, { __rejectSomeDirectEvalExpressions__: false }),
  }) as unknown as Outer;

  // Globals as parameters: a read of a compartment's global goes through a proxy and costs a hundred times more.
  const names = Object.getOwnPropertyNames(compartment.globalThis).filter((name) => !UNNAMEABLE.has(name));
  const boot = compartment.evaluate(
    `(function (goflowOuter, ${names.join(', ')}) {${guestSource}\n;return goflowGuest.guest;\n})\n//# sourceURL=goflow-guest.js`,
  ) as (...values: unknown[]) => Guest;
  guest = boot(outer, ...names.map((name) => compartment.globalThis[name]));
  return {
    guest,
    dispose() {
      for (const { dispose } of made) dispose();
    },
  };
}

/** Global names that cannot be parameters of a strict function, or that are constants anyway. */
const UNNAMEABLE: ReadonlySet<string> = new Set(['eval', 'undefined', 'NaN', 'Infinity']);
