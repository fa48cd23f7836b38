// The prototypes behind iterators are another realm's.
export default async () => Object.getPrototypeOf(Object.getPrototypeOf((async function* () {})())).constructor.constructor('return process')();
