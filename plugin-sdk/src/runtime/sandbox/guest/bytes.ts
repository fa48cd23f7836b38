import { outer } from './outer.ts';

const typedArray: object = Object.getPrototypeOf(Uint8Array.prototype);
const bufferOf = getterOf(typedArray, 'buffer');
const offsetOf = getterOf(typedArray, 'byteOffset');
const lengthOf = getterOf(typedArray, 'byteLength');
const viewBufferOf = getterOf(DataView.prototype, 'buffer');
const viewOffsetOf = getterOf(DataView.prototype, 'byteOffset');
const viewLengthOf = getterOf(DataView.prototype, 'byteLength');
const tagOf = getterOf(typedArray, Symbol.toStringTag);
const bufferLengthOf = getterOf(ArrayBuffer.prototype, 'byteLength');

/** The intrinsic getters read what a view really is, whatever properties a connector has put on it. */
function getterOf(prototype: object, name: PropertyKey): (view: unknown) => unknown {
  const { get } = Object.getOwnPropertyDescriptor(prototype, name) as { get: () => unknown };
  return (view) => Reflect.apply(get, view, []);
}

export function isView(value: unknown): value is ArrayBufferView {
  return ArrayBuffer.isView(value);
}

export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  try {
    bufferLengthOf(value);
    return true;
  } catch {
    return false;
  }
}

export function isBufferSource(value: unknown): value is ArrayBuffer | ArrayBufferView {
  return isView(value) || isArrayBuffer(value);
}

/** A copy of the bytes of a BufferSource in a plain Uint8Array of its own. */
export function copyBytes(source: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(viewBytes(source));
}

/** The bytes of a BufferSource, not copied. */
export function viewBytes(source: unknown): Uint8Array<ArrayBuffer> {
  if (isArrayBuffer(source)) return new Uint8Array(source);
  if (!isView(source)) throw new TypeError('expected an ArrayBuffer or a view of one');
  const typed = tagOf(source) !== undefined;
  const buffer = (typed ? bufferOf(source) : viewBufferOf(source)) as ArrayBuffer;
  const offset = (typed ? offsetOf(source) : viewOffsetOf(source)) as number;
  const length = (typed ? lengthOf(source) : viewLengthOf(source)) as number;
  return new Uint8Array(buffer, offset, length);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  if (parts.length === 1) return parts[0] as Uint8Array<ArrayBuffer>;
  let length = 0;
  for (const part of parts) length += part.byteLength;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return outer.encodeUtf8(text) as Uint8Array<ArrayBuffer>;
}

/** UTF-8 text as `Body.text()` reads it: without a byte order mark, malformed bytes replaced. */
export function utf8Text(bytes: Uint8Array): string {
  return outer.decodeUtf8(bytes, false, false) as string;
}
