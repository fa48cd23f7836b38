// A plugin with an honest action beside its attacks: what they do must not hurt the others.
module.exports = {
  actions: {
    echo: { run: (ctx, input) => input },
    /** Its own attempt number, after a while. */
    attempt: {
      async run(ctx, ms) {
        ctx.log.info('begun');
        await new Promise((resolve) => setTimeout(resolve, ms));
        return ctx.attempt;
      },
    },
    sleep: { run: (ctx, ms) => ctx.sleep(ms).then(() => 'slept') },
    wait: { run: (ctx, ms) => new Promise((resolve) => setTimeout(() => resolve('waited'), ms)) },
    loop: {
      run() {
        for (;;);
      },
    },
    freeze: { run: () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1) },
    never: { run: () => new Promise(() => {}) },
    bomb: {
      run() {
        const all = [];
        for (;;) all.push({ n: all.length });
      },
    },
    /** Writes through the broker, again and again, also after it was told to stop. */
    writes: {
      async run(ctx) {
        for (let n = 0; ; n += 1) {
          await ctx.storage.set('n', n).catch(() => undefined);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      },
    },
  },
};
