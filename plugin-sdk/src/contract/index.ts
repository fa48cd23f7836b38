/** The contract between connector, bundle and host. */
export * from './bundle.ts';
export { canonicalJson, sha256 } from './canonical.ts';
export { compileSchema, type Validate } from './compile-schema.ts';
export * from './context.ts';
export * from './errors.ts';
export * from './hostname.ts';
export * from './json.ts';
export * from './json-schema.ts';
export * from './limits.ts';
export * from './manifest-check.ts';
export * from './manifest.ts';
export * from './mask.ts';
export * from './permissions.ts';
export * from './secrets.ts';
export * from './signatures.ts';
