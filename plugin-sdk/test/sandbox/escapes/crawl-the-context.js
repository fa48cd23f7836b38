// Anything reachable from ctx evaluates code or is Node's.
export default async (ctx, _input, { crawl }) => crawl(ctx);
