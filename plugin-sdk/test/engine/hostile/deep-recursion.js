// Runs out of stack.
module.exports = { actions: { main: { run: () => (function dive() { return dive() + 1; })() } } };
