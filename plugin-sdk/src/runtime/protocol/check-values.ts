/** The values that messages are made of. Every check takes `unknown` and touches only what `structuredClone` lets through. */

const MAX_BATCH = 1_000_000;
const MAX_DEPTH = 512;
const MAX_NODES = 100_000;
const LEVELS: ReadonlySet<unknown> = new Set(['debug', 'info', 'warn', 'error']);

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A whole number from 0 that a double holds exactly: keys, numbers of calls, sizes. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function isText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length <= max;
}

export function isTextOrNull(value: unknown, max: number): value is string | null {
  return value === null || isText(value, max);
}

export function isLevel(value: unknown): boolean {
  return LEVELS.has(value);
}

export function isArrayOf(value: unknown, isItem: (item: unknown) => boolean, max = MAX_BATCH): boolean {
  if (!Array.isArray(value) || value.length > max) return false;
  for (const item of value) if (!isItem(item)) return false;
  return true;
}

/** Error data whose `details`, if any, are JSON. */
export function isErrorData(value: unknown, maxText: number): boolean {
  return (
    isObject(value) &&
    isText(value.code, 256) &&
    isText(value.message, maxText) &&
    typeof value.retryable === 'boolean' &&
    (value.details === undefined || isJson(value.details))
  );
}

/** Fields of a log line: a JSON object or null. */
export function isFields(value: unknown): boolean {
  return value === null || (isObject(value) && !Array.isArray(value) && isJson(value));
}

/** A JSON value of at most 512 levels and 100,000 values; members that are `undefined` count as absent. */
export function isJson(value: unknown): boolean {
  let nodes = 0;
  return visit(value, 0);

  function visit(node: unknown, depth: number): boolean {
    if (node === null || typeof node !== 'object') return node === undefined ? depth > 0 : isScalar(node);
    nodes += 1;
    if (depth >= MAX_DEPTH || nodes > MAX_NODES) return false;
    if (Array.isArray(node)) return node.every((item) => visit(item, depth + 1));
    // A Map, Date or typed array that survived the copy has another prototype.
    if (Object.getPrototypeOf(node) !== Object.prototype) return false;
    for (const key of Object.keys(node)) if (!visit((node as Record<string, unknown>)[key], depth + 1)) return false;
    return true;
  }
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
