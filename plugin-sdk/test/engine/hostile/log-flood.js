// Ten thousand long lines.
module.exports = {
  actions: {
    main: {
      async run(ctx) {
        for (let n = 0; n < 10_000; n += 1) ctx.log.info('x'.repeat(1000));
        return 'said';
      },
    },
  },
};
