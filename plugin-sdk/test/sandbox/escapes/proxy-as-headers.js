// An iterator that fetch walks gets at its surroundings.
export default async () => { let caller = null; const headers = { [Symbol.iterator]: function () { caller = this; return { next: () => ({ done: true }) }; } }; new Headers(headers); return caller === headers ? null : caller; };
