// Waits for nothing, and ignores its signal.
module.exports = { actions: { main: { run: () => new Promise(() => {}) } } };
