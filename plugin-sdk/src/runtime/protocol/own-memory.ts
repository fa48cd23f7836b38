import type { BrokerAnswer } from './broker.ts';

/**
 * An answer whose bytes have memory of their own. Bytes that were read out of a frame are a view of it, and a copy to another thread takes along all of what they are a
 * view of: the answers to other plugins beside them.
 */
export function ownMemory(value: BrokerAnswer): BrokerAnswer {
  if (value instanceof Uint8Array) return ownBytes(value);
  if (value !== null && typeof value === 'object' && 'bytes' in value && value.bytes !== null) {
    return { ...value, bytes: ownBytes(value.bytes) };
  }
  return value;
}

function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}
