/** Limits of a bundle and of a call, in one place so that `build`, `install` and the sandbox agree on them. */

/** Largest bundle file, in bytes (the upload limit of the REST API). */
export const MAX_BUNDLE_BYTES = 20 * 1024 * 1024;

/** Largest result of an action, in UTF-16 units of its JSON text (5 MB). */
export const MAX_RESULT_CHARS = 5 * 1024 * 1024;

/** Largest answer body that `ctx.fetch` reads, in bytes. */
export const MAX_RESPONSE_BYTES = 50 * 1024 * 1024;

/** Log lines kept for a run; one more line says how many were dropped. */
export const MAX_LOG_LINES = 1000;

/** Longest log line of a connector, in UTF-16 units. */
export const MAX_LOG_CHARS = 16 * 1024;

/** Time that loading a bundle's code in the sandbox may take, in milliseconds. */
export const LOAD_TIMEOUT_MS = 5000;

/** What holds where a manifest says nothing. `memory_mb`: heap plus buffers of a worker; `concurrency`: calls at once in a worker. */
export const DEFAULT_LIMITS = { memory_mb: 64, concurrency: 16, timeout_ms: 30_000 } as const;
/** Spans that one call may tell; more are left out. */
export const MAX_SPANS = 100;
export const MAX_SPAN_NAME_CHARS = 128;
