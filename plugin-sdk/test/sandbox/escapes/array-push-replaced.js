// Array methods that the outer realm uses can be replaced.
export default async () => { Array.prototype.push = function () {}; return 'replaced'; };
