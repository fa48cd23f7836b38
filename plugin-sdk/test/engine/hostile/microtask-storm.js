// Keeps the thread busy without ever coming round the event loop.
module.exports = {
  actions: {
    main: {
      async run() {
        for (;;) await Promise.resolve();
      },
    },
  },
};
