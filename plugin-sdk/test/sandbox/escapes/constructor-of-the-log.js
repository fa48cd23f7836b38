// Two constructors up from a log method.
export default async (ctx) => ctx.log.info.constructor.constructor('return process')();
