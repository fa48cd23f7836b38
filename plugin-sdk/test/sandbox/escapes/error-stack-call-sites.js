// PrepareStackTrace gives call sites, and those give `this` and functions of outer frames.
export default async () => { let sites = null; Error.prepareStackTrace = (_error, given) => { sites = given; return ''; }; void new Error('x').stack; return sites === null ? null : sites[0].getFunction() ?? 'sites'; };
