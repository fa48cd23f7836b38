// `module` is Node's.
export default async () => (typeof module === 'object' ? (module.constructor?._load ?? module.parent ?? module.require ?? null) : null);
