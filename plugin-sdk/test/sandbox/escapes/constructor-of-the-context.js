// Two constructors up from the context.
export default async (ctx) => ctx.constructor.constructor('return process')();
