import { defineAction } from '@goflow/plugin-sdk';

let turns = 0;

/** What is returned, by name: none of it is honest JSON. */
const RESULTS: Readonly<Record<string, () => unknown>> = {
  huge: () => 'x'.repeat(200_000_000),
  cyclic() {
    const me: Record<string, unknown> = {};
    me['me'] = me;
    return me;
  },
  deep() {
    let deep: unknown = 1;
    for (let n = 0; n < 100_000; n += 1) deep = [deep];
    return deep;
  },
  bigint: () => ({ value: 1n }),
  throwing_getter: () => ({
    get value() {
      throw new Error('from a getter');
    },
  }),
  throwing_proxy: () =>
    new Proxy(
      {},
      {
        get() {
          throw new Error('from a trap');
        },
        ownKeys() {
          throw new Error('from a trap');
        },
      },
    ),
  endless_proxy: () =>
    new Proxy([], { get: (_target, key) => (key === 'length' ? 2 ** 31 : key === 'toJSON' ? undefined : 'x') }),
  changing_json: () => ({ toJSON: () => (++turns % 2 === 0 ? 'even' : { toJSON: () => 1n }) }),
  endless_thenable() {
    const again = { then: (resolve: (value: unknown) => void) => resolve(again) };
    return again;
  },
  throwing_thenable: () => ({
    then() {
      throw new Error('from a then');
    },
  }),
};

export const RESULT_KINDS: readonly string[] = Object.keys(RESULTS);

export const results = {
  hostile_result: defineAction({
    input: { type: 'object', required: ['kind'], properties: { kind: { type: 'string' } } },
    run: (_ctx, { kind }) => RESULTS[kind]?.(),
  }),
};
