// Memory outside of the heap, which V8's limits do not count.
module.exports = {
  actions: {
    main: {
      run() {
        const all = [];
        for (;;) all.push(new Uint8Array(1_000_000).fill(1));
      },
    },
  },
};
