import { MASK, MIN_MASKED_CHARS } from './secrets.ts';

/** From this length on, a secret is also found inside a longer base64 text (as in `Basic` of `user:secret`). */
const MIN_SHIFTED_BYTES = 8;

/**
 * A function that replaces each secret in a text by `***`: as it is, JSON-escaped up to three times, URL- and form-encoded, in base64 and base64url
 * (also in the middle of a longer base64 text), and in hexadecimal. Secrets under `MIN_MASKED_CHARS` characters are left out.
 * Without secrets it returns its argument.
 */
export function createMask(secrets: readonly string[]): (text: string) => string {
  const forms = maskedForms(secrets);
  if (forms.length === 0) return (text) => text;
  const pattern = new RegExp(
    forms.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|\-/]/g, String.raw`\$&`)).join('|'),
    'g',
  );
  return (text) => text.replace(pattern, MASK);
}

/** Every text that `createMask` looks for, longest first, so that a form is never cut by a shorter one within it. */
export function maskedForms(secrets: readonly string[]): string[] {
  const forms = new Set<string>();
  for (const secret of secrets)
    if (secret.length >= MIN_MASKED_CHARS) for (const form of formsOf(secret)) forms.add(form);
  return [...forms].filter((form) => form.length >= MIN_MASKED_CHARS).sort((a, b) => b.length - a.length);
}

function formsOf(secret: string): string[] {
  const json = escapeJson(secret);
  const jsonAgain = escapeJson(json);
  const bytes = new TextEncoder().encode(secret);
  const form = new URLSearchParams([['', secret]]).toString().slice(1);
  const url = percentEncode(secret);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [
    secret,
    json,
    // JSON in a text of JSON, and that once more: bodies that are logged, messages in queues.
    jsonAgain,
    escapeJson(jsonAgain),
    json.replaceAll('/', String.raw`\/`),
    escapeNonAscii(json),
    url,
    lowerEscapes(url),
    encodeURI(secret.toWellFormed()),
    encodePathSegment(secret),
    form,
    lowerEscapes(form),
    percentEncode(json),
    ...base64Forms(bytes),
    ...base64Forms(new TextEncoder().encode(json)),
    ...(bytes.length >= MIN_SHIFTED_BYTES ? [hex, hex.toUpperCase()] : []),
  ];
}

function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Percent-encodes what cannot stand in one segment of a URL's path, and nothing more: `12:ab` keeps its colon. */
export function encodePathSegment(text: string): string {
  return percentEncode(text).replaceAll(/%(?:3A|40|24|2C|3B|3D|2B|26)/g, decodeURIComponent);
}

function percentEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function lowerEscapes(text: string): string {
  return text.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
}

function escapeNonAscii(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The secret alone, and the characters that it fully decides when 0, 1 or 2 bytes (modulo 3) stand before it. */
function base64Forms(bytes: Uint8Array): string[] {
  const forms = [toBase64(bytes)];
  if (bytes.length >= MIN_SHIFTED_BYTES) {
    for (const before of [0, 1, 2]) {
      const shifted = new Uint8Array(before + bytes.length);
      shifted.set(bytes, before);
      const first = Math.ceil((before * 8) / 6);
      const end = Math.floor((shifted.length * 8) / 6);
      forms.push(toBase64(shifted).slice(first, end));
    }
  }
  return forms.flatMap((form) => {
    const bare = form.replace(/=+$/, '');
    return [form, bare, bare.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
