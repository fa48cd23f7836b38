// Honest, and makes far more garbage than it may hold.
module.exports = {
  actions: {
    main: {
      run(ctx, ms) {
        const end = Date.now() + ms;
        const text = `[${'{"a":1},'.repeat(100_000)}1]`;
        let last;
        while (Date.now() < end) last = JSON.parse(text);
        return last.length;
      },
    },
  },
};
