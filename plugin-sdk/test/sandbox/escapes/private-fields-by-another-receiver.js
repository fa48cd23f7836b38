// A method on a foreign receiver reads a field that is not its own.
export default async (ctx) => { const { get } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(ctx), 'credential'); return get.call({ '#call': { context: { credential: 1 } } }); };
