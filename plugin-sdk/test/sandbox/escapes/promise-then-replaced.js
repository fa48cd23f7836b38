// Promise.prototype.then can be replaced to see the outer realm's promises.
export default async () => { Promise.prototype.then = function () { return this; }; return 'replaced'; };
