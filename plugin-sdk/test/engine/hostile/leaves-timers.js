// Returns at once and leaves timers, a late rejection and a promise behind.
let late = 0;
module.exports = {
  actions: {
    main: {
      async run() {
        for (let n = 0; n < 100; n += 1) setInterval(() => { late += 1; }, 1);
        setTimeout(() => Promise.reject(new Error('late')), 1);
        return 'gone';
      },
    },
    late: { run: () => late },
  },
};
