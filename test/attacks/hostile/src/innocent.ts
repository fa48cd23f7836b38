import { ConnectorError, defineAction } from '@goflow/plugin-sdk';

/** Does its work while the others attack; also here, so that it shares their threads. */
export const innocent = {
  answer: defineAction({
    input: { type: 'object', properties: { ms: { type: 'number', default: 0 } } },
    async run(ctx, { ms = 0 }) {
      // A timer, not `ctx.sleep`: an honest connector does not always heed its signal either.
      await new Promise((resolve) => setTimeout(resolve, ms));
      return { attempt: ctx.attempt, key: ctx.idempotencyKey };
    },
  }),
  fail: defineAction({
    run() {
      throw new ConnectorError('TRY_AGAIN', 'it fails, and says that it may be tried again', { retryable: true });
    },
  }),
  short_timeout: defineAction({
    timeout_ms: 200,
    run: (ctx) => ctx.sleep(60_000),
  }),
  not_idempotent: defineAction({
    idempotent: false,
    input: { type: 'object', properties: { ms: { type: 'number', default: 0 } } },
    async run(ctx, { ms = 0 }) {
      await ctx.sleep(ms);
      return 'done once';
    },
  }),
};
