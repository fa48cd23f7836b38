import { isBlob } from './blob.ts';
import { isArrayBuffer, isView } from './bytes.ts';
import { DOMException } from './dom-exception.ts';
import { textOf } from './text.ts';

const ERRORS: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
} as never;

/** The HTML Standard's structured clone, for what can exist in a compartment. Throws a DataCloneError DOMException. */
export function structuredClone(value: unknown, options: { readonly transfer?: Iterable<unknown> } = {}): unknown {
  const seen = new Map<unknown, unknown>();
  for (const item of options?.transfer ?? []) {
    if (!isArrayBuffer(item)) throw refuse('only ArrayBuffers can be transferred');
    seen.set(item, item.transfer());
  }
  return clone(value, seen);
}

function clone(value: unknown, seen: Map<unknown, unknown>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw refuse(`a ${typeof value} cannot be cloned`);
  if (value === null || typeof value !== 'object') return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  const leaf = cloneLeaf(value, seen);
  if (leaf !== undefined) {
    seen.set(value, leaf);
    return leaf;
  }
  if (value instanceof Map) return cloneMap(value, seen);
  if (value instanceof Set) return cloneSet(value, seen);
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) {
    throw refuse('this object cannot be cloned');
  }
  const copy: object = Array.isArray(value) ? Array.from({ length: value.length }) : {};
  seen.set(value, copy);
  for (const key of Object.keys(value)) define(copy, key, clone((value as Record<string, unknown>)[key], seen));
  return copy;
}

function cloneLeaf(value: object, seen: Map<unknown, unknown>): object | undefined {
  if (isArrayBuffer(value)) return value.slice(0);
  if (isView(value)) return cloneView(value, seen);
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof Error) return cloneError(value, seen);
  if (isBlob(value)) return value.slice(0, value.size, value.type);
  return undefined;
}

function cloneView(view: ArrayBufferView, seen: Map<unknown, unknown>): object {
  const buffer = clone(view.buffer, seen) as ArrayBuffer;
  seen.set(view.buffer, buffer);
  if (view instanceof DataView) return new DataView(buffer, view.byteOffset, view.byteLength);
  const typed = view as Uint8Array;
  const make = VIEWS[Object.prototype.toString.call(typed).slice(8, -1)] ?? Uint8Array;
  return new make(buffer, typed.byteOffset, typed.length);
}

const VIEWS: Readonly<Record<string, new (buffer: ArrayBuffer, offset: number, length: number) => object>> = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
};

function cloneError(error: Error, seen: Map<unknown, unknown>): Error {
  const make = ERRORS[textOf(error.name)] ?? Error;
  const copy = new make(textOf(error.message));
  seen.set(error, copy);
  if (Object.hasOwn(error, 'cause')) define(copy, 'cause', clone(error.cause, seen), false);
  return copy;
}

function cloneMap(map: Map<unknown, unknown>, seen: Map<unknown, unknown>): Map<unknown, unknown> {
  const copy = new Map<unknown, unknown>();
  seen.set(map, copy);
  for (const [key, item] of map) copy.set(clone(key, seen), clone(item, seen));
  return copy;
}

function cloneSet(set: Set<unknown>, seen: Map<unknown, unknown>): Set<unknown> {
  const copy = new Set<unknown>();
  seen.set(set, copy);
  for (const item of set) copy.add(clone(item, seen));
  return copy;
}

/** Not an assignment: keys like `__proto__` and `constructor` are data here. */
function define(target: object, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}

function refuse(why: string): DOMException {
  return new DOMException(why, 'DataCloneError');
}
