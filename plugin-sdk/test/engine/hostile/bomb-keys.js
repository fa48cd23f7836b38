// One object with ever more keys.
module.exports = {
  actions: {
    main: {
      run() {
        const all = {};
        for (let n = 0; ; n += 1) all[`key${n}`] = n;
      },
    },
  },
};
