// Never gives the thread back.
module.exports = {
  actions: {
    main: {
      run(ctx) {
        ctx.log.info('begun');
        for (;;);
      },
    },
  },
};
