/** The contract between connector, bundle and host. */
export * from './bundle.ts';
export * from './context.ts';
export * from './errors.ts';
export * from './json.ts';
export * from './limits.ts';
export * from './manifest.ts';
