import { defineAction } from '@goflow/plugin-sdk';

/** What is thrown, by name. */
const THROWN: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  text: () => 'a text',
  number: () => Number.NaN,
  bigint: () => 1n,
  symbol: () => Symbol('s'),
  function: () => () => 1,
  promise: () => Promise.reject(new Error('thrown as a promise')),
  getter: () =>
    Object.defineProperty({}, 'message', {
      get() {
        throw new Error('from a getter');
      },
    }),
  proxy: () =>
    new Proxy(new Error('outside'), {
      get() {
        throw new Error('from a trap');
      },
    }),
  huge: () => new Error('x'.repeat(50_000_000)),
  cyclic_cause() {
    const error = new Error('round');
    error.cause = error;
    return error;
  },
};

export const THROWN_KINDS: readonly string[] = Object.keys(THROWN);

export const throwing = {
  throw_anything: defineAction({
    input: { type: 'object', required: ['kind'], properties: { kind: { type: 'string' } } },
    run(_ctx, { kind }) {
      throw THROWN[kind]?.();
    },
  }),
  deep_recursion: defineAction({
    run() {
      return (function dive(): number {
        return dive() + 1;
      })();
    },
  }),
};
