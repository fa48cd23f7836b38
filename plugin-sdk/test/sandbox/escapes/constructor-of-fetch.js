// A function of the context is one of Node's realm.
export default async (ctx) => ctx.fetch.constructor('return process')();
