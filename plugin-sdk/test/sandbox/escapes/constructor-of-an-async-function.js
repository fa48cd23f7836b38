// The constructor of async functions.
export default async () => await (async () => {}).constructor('return process')();
