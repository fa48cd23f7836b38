// Returns what is not JSON.
module.exports = {
  actions: {
    main: {
      run() {
        const me = {};
        me.me = me;
        return me;
      },
    },
  },
};
