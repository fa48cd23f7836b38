import { defineAction, type ConnectorContext } from '@goflow/plugin-sdk';

type Context = ConnectorContext<{ host: string; port: number; web: number }>;

/** Never stops trying to get bytes out: from a loop of promises, from timers, from listeners of its own signal, over a socket and by requests. */
export const writes = {
  write_for_ever: defineAction({
    async run(ctx: Context) {
      const { host, port, web } = ctx.credential;
      const socket = ctx.connect({ hostname: host, port });
      await socket.opened;
      const writer = socket.writable.getWriter();
      const bytes = new Uint8Array(100).fill(120);
      const write = () => writer.write(bytes).catch(() => undefined);
      const request = () =>
        ctx.fetch(`http://${host}:${web}/`, { method: 'POST', body: 'x'.repeat(100) }).catch(() => undefined);
      ctx.signal.addEventListener('abort', () => {
        void write();
        void request();
        void ctx.storage.set('late', true).catch(() => undefined);
        const again = ctx.connect({ hostname: host, port });
        void again.writable
          .getWriter()
          .write(bytes)
          .catch(() => undefined);
      });
      setInterval(() => void write(), 1);
      setInterval(() => void request(), 5);
      const rest = () => new Promise((resolve) => setTimeout(resolve, 0));
      void (async () => {
        for (;;) await Promise.all([request(), rest()]);
      })();
      for (;;) await Promise.all([write(), rest()]);
    },
  }),
};
