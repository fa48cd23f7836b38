import { defineAction, type ConnectorContext } from '@goflow/plugin-sdk';

/** Returns at once and leaves something behind that goes on. */
export const leftovers = {
  leave_timers: defineAction({
    run() {
      for (let n = 0; n < 100; n += 1) setInterval(() => n, 1);
      return 'left';
    },
  }),
  leave_rejections: defineAction({
    run() {
      for (let n = 0; n < 100; n += 1) setTimeout(() => void Promise.reject(new Error('late')), 0);
      for (let n = 0; n < 100; n += 1) void Promise.reject(new Error('at once'));
      return 'left';
    },
  }),
  leave_loop: defineAction({
    run() {
      void (async () => {
        for (;;) await crypto.subtle.digest('SHA-256', new Uint8Array(1000));
      })();
      return 'left';
    },
  }),
  leave_uninterruptible: defineAction({
    run() {
      void crypto.subtle
        .digest('SHA-256', new Uint8Array(20_000_000))
        .then(() => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1));
      return 'left';
    },
  }),
  leave_sockets: defineAction({
    async run(ctx: ConnectorContext<{ host: string; port: number }>) {
      const { host, port } = ctx.credential;
      const sockets = Array.from({ length: 5 }, () => ctx.connect({ hostname: host, port }));
      for (const socket of sockets) {
        await socket.opened;
        const writer = socket.writable.getWriter();
        void (async () => {
          for (;;) await writer.write(new Uint8Array(1000));
        })().catch(() => undefined);
      }
      return 'left';
    },
  }),
};
