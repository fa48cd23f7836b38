// The constructor of an arrow function evaluates code.
export default async () => (() => {}).constructor('return process')();
