// __proto__ reaches Object.prototype and changes it.
export default async () => { ({}).__proto__.then = (resolve) => resolve('taken'); return {}.then ?? null; };
