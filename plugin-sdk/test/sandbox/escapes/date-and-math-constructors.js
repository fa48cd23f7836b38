// The endowed Date, Math and Intl are the outer realm's.
export default async () => new Date().constructor.constructor('return process')() ?? Math.constructor.constructor('return process')();
