// The input carries another Object.
export default async (ctx, input) => input.constructor.constructor('return process')();
