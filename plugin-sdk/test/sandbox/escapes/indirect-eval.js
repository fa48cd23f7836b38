// Indirect eval evaluates in the outer realm.
export default async () => (0, eval)('process');
