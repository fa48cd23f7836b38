// Returns more than may be returned.
module.exports = { actions: { main: { run: () => 'x'.repeat(20_000_000) } } };
