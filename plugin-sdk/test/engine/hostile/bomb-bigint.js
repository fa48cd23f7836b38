// Numbers of a megabyte each.
module.exports = {
  actions: {
    main: {
      run() {
        const all = [];
        for (;;) all.push(BigInt(all.length + 1) << 8_000_000n);
      },
    },
  },
};
