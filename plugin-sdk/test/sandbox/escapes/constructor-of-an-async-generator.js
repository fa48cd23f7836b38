// The constructor of async generator functions.
export default async () => (await (async function* () {}).constructor('yield process')().next()).value;
