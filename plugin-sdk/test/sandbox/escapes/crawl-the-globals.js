// Anything reachable from the globals evaluates code or is Node's.
export default async (_ctx, _input, { crawl }) => crawl(globalThis);
