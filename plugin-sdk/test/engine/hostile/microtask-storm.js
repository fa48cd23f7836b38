// Keeps the thread busy without ever coming round the event loop.
module.exports = {
  actions: {
    main: {
      async run(ctx) {
        ctx.log.info('begun');
        for (;;) await Promise.resolve();
      },
    },
  },
};
