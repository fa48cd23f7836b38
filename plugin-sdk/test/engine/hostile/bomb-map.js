// One Map that grows.
module.exports = {
  actions: {
    main: {
      run() {
        const all = new Map();
        for (let n = 0; ; n += 1) all.set(n, { n });
      },
    },
  },
};
