// A subclass of AsyncFunction calls the real one.
export default async () => await new (class extends (async () => {}).constructor {})('return process')();
