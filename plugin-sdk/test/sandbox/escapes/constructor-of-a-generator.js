// The constructor of generator functions.
export default async () => (function* () {}).constructor('yield process')().next().value;
