import type { Outer } from '../border.ts';

declare const goflowOuter: Outer;

/** The outer realm's functions. Only our own code in the guest half may hold them: no connector ever sees this object. */
export const outer = goflowOuter;
