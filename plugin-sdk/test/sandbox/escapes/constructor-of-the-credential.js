// Data that came from outside carries another Object.
export default async (ctx) => Object.getPrototypeOf(ctx.credential).constructor.constructor('return process')();
