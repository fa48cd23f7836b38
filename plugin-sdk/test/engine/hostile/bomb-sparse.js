// Huge arrays at one blow.
module.exports = {
  actions: {
    main: {
      run() {
        const all = [];
        for (;;) all.push(Reflect.construct(Array, [2 ** 24]).fill(all.length));
      },
    },
  },
};
