import type { JsonObject, JsonValue } from '@goflow/plugin-sdk/contract';

/** A text that is the same for the same JSON value, whatever the order of its keys. */
export function canonicalJson(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item as JsonValue)).join(',')}]`;
  const keys = Object.keys(value);
  if (keys.length > 1) keys.sort();
  let members = '';
  for (const key of keys) {
    members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson((value as JsonObject)[key] ?? null)}`;
  }
  return `{${members}}`;
}

/** Indexes of the first two equal items; null when all differ. Linear in the size of the array, where ajv's own keyword is quadratic. */
export function firstDuplicate(items: readonly JsonValue[]): readonly [number, number] | null {
  const plain = new Map<JsonValue, number>();
  const nested = new Map<JsonValue, number>();
  for (const [index, item] of items.entries()) {
    const isNested = typeof item === 'object' && item !== null;
    const seen = isNested ? nested : plain;
    const key = isNested ? canonicalJson(item) : item;
    const earlier = seen.get(key);
    if (earlier !== undefined) return [earlier, index];
    seen.set(key, index);
  }
  return null;
}
