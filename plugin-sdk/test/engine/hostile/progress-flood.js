// Reports progress for ever, giving the thread back each time.
module.exports = {
  actions: {
    main: {
      async run(ctx) {
        for (;;) {
          for (let n = 0; n < 1000; n += 1) ctx.progress(0.5, 'again');
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
      },
    },
  },
};
