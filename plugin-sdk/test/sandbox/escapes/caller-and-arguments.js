// `caller` walks up to the outer realm's functions.
export default async () => { function inner() { return inner.caller ?? arguments.callee; } return inner(); };
