// A timer evaluates text.
export default async () => setTimeout('globalThis.leaked = 1', 0);
