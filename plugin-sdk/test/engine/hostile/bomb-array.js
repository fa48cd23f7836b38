// One array that grows.
module.exports = {
  actions: {
    main: {
      run() {
        const all = [];
        for (;;) all.push({ n: all.length });
      },
    },
  },
};
