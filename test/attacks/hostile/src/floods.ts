import { defineAction } from '@goflow/plugin-sdk';

/** Says and asks more than anybody can take. */
export const floods = {
  log_flood: defineAction({
    run(ctx) {
      for (;;) ctx.log.info('x'.repeat(10_000));
    },
  }),
  progress_flood: defineAction({
    run(ctx) {
      for (;;) ctx.progress(0.5, 'x'.repeat(10_000));
    },
  }),
  ask_flood: defineAction({
    run(ctx) {
      for (;;) void ctx.storage.set('key', 'x'.repeat(100_000)).catch(() => undefined);
    },
  }),
};
