// A well-known registry symbol leads to Node's internals.
export default async () => { for (const key of ['nodejs.util.inspect.custom', 'nodejs.util.promisify.custom', 'undici.globalDispatcher.1', 'nodejs.dispose']) { const found = globalThis[Symbol.for(key)]; if (found) return key; } };
