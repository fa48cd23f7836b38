import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Role } from '../core/records.ts';

/** An API key: `gf_`, the role that it was made for, and 256 random bits. The role is there for people; what counts is the record. */
const KEY = /^gf_(?:viewer|trigger|editor|admin)_[A-Za-z0-9_-]{43}$/;

export function newKeyText(role: Role): string {
  return `gf_${role}_${randomBytes(32).toString('base64url')}`;
}

/** Whether it can be a key at all: what cannot is never looked up. */
export function isKeyText(text: string): boolean {
  return KEY.test(text);
}

/** What is stored. A key has 256 random bits, so a slow hash would add nothing but work. */
export function hashKey(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

/** Takes the same time wherever two hashes differ. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
