// Honest, and busy for as long as it is told.
module.exports = {
  actions: {
    main: {
      run(ctx, ms) {
        const end = Date.now() + ms;
        while (Date.now() < end);
        return 'computed';
      },
    },
  },
};
