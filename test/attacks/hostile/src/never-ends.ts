import { defineAction } from '@goflow/plugin-sdk';

/** Does not end, and does not heed its signal. */
export const neverEnds = {
  endless_loop: defineAction({
    run(ctx) {
      ctx.log.info('begun');
      for (;;);
    },
  }),
  /** A built-in without an interrupt check: not even `terminate` ends it. */
  uninterruptible: defineAction({
    run: () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1),
  }),
  catastrophic_regexp: defineAction({
    run: () => /^(a+)+$/.test(`${'a'.repeat(40)}!`),
  }),
  microtask_storm: defineAction({
    async run() {
      for (;;) await Promise.resolve();
    },
  }),
  never_settles: defineAction({
    run: () => new Promise<never>(() => undefined),
  }),
};
