// Never gives the thread back.
module.exports = {
  actions: {
    main: {
      run() {
        for (;;);
      },
    },
  },
};
