// Function evaluates at all.
export default async () => new Function('return 1 + 1')();
