import type { Call } from '../call.ts';
import type { Guest, Outer } from '../border.ts';

/** What an endowment may know of the compartment that it is made for. */
export interface Scope {
  /** The call in whose asynchronous context the running code is, if it has not ended. */
  current(): Call | undefined;
  /** Whether the running code belongs to a call that has ended. */
  isOver(): boolean;
  /** A call that has not ended. */
  call(key: number): Call | undefined;
  /** Runs `work` in the asynchronous context of a call. */
  within(call: Call, work: () => void): void;
  /** The guest half; not to be asked for before it has booted. */
  guest(): Guest;
}

/**
 * A power of the outer realm: the functions it lends to the guest half and, in the same place, how they are taken back.
 * The functions never throw a Node error and take and return only what `border.ts` allows.
 */
export interface Endowment<Name extends keyof Outer> {
  readonly names: readonly Name[];
  make(scope: Scope): { readonly values: Pick<Outer, Name>; dispose(): void };
}

/** What is listed in `names` is lent, and nothing else. */
export interface AnyEndowment {
  readonly names: readonly (keyof Outer)[];
  readonly make: (scope: Scope) => { readonly values: Partial<Outer>; readonly dispose: () => void };
}

export function defineEndowment<Name extends keyof Outer>(endowment: Endowment<Name>): Endowment<Name> {
  return endowment;
}

/** For powers that hold nothing. */
export function nothingToDispose(): void {}
