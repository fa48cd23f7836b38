// The signal is Node's AbortSignal.
export default async (ctx) => ctx.signal.constructor.constructor('return process')();
