// Throws what is no error at all.
const values = {
  undefined: undefined,
  null: null,
  string: 'a text',
  symbol: Symbol('s'),
  function: () => 1,
  getter: Object.defineProperty({}, 'message', { get() { throw new Error('from a getter'); } }),
  proxy: new Proxy({}, { get() { throw new Error('from a trap'); } }),
};
module.exports = { actions: { main: { run(ctx, name) { throw values[name]; } } } };
