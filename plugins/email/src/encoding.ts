/** How mail writes what is not short lines of ASCII: RFC 2045 (quoted-printable, base64) and RFC 2047 (encoded words). */

const encoder = new TextEncoder();

export function isPrintableAscii(text: string): boolean {
  return /^[\t -~]*$/.test(text);
}

export function base64(bytes: Uint8Array): string {
  let binary = '';
  // In pieces, as a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8190) binary += String.fromCharCode(...bytes.subarray(at, at + 8190));
  return btoa(binary);
}

export function base64Text(text: string): string {
  return base64(encoder.encode(text));
}

/** A text of a header as one or more encoded words, each at most 75 characters, never cut within a character. */
export function encodeWord(text: string): string {
  const words: string[] = [];
  let part = '';
  for (const char of text.toWellFormed()) {
    // 45 bytes make 60 characters of base64; with `=?UTF-8?B?` and `?=` that is 72.
    if (encoder.encode(part + char).length > 45) {
      words.push(part);
      part = '';
    }
    part += char;
  }
  words.push(part);
  return words.map((word) => `=?UTF-8?B?${base64Text(word)}?=`).join(' ');
}

/** Lines of at most 76 characters of ASCII, whatever the text; its line ends are CRLF already. */
export function quotedPrintable(text: string): string {
  return text.split('\r\n').map(encodeLine).join('\r\n');
}

function encodeLine(line: string): string {
  const bytes = encoder.encode(line);
  const lines: string[] = [];
  let current = '';
  for (const [index, byte] of bytes.entries()) {
    const isLast = index === bytes.length - 1;
    const literal = (byte > 32 && byte < 127 && byte !== 61) || ((byte === 32 || byte === 9) && !isLast);
    const piece = literal ? String.fromCharCode(byte) : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    if (current.length + piece.length > 75) {
      lines.push(`${current}=`);
      current = '';
    }
    current += piece;
  }
  lines.push(current);
  return lines.join('\r\n');
}

export interface EncodedBody {
  readonly encoding: '7bit' | 'quoted-printable' | 'base64';
  readonly body: string;
}

/** A body in the plainest encoding that every server passes on unchanged. */
export function encodeBody(text: string): EncodedBody {
  const lines = text.toWellFormed().replaceAll(/\r\n|\r|\n/g, '\r\n');
  const isAscii = /^[\t\r\n -~]*$/.test(lines);
  if (isAscii && lines.split('\r\n').every((line) => line.length <= 900 && !/[ \t]$/.test(line)))
    return { encoding: '7bit', body: lines };
  const bytes = encoder.encode(lines);
  const escaped = bytes.reduce((count, byte) => count + (byte > 126 || byte === 61 ? 1 : 0), 0);
  if (escaped * 3 < bytes.length) return { encoding: 'quoted-printable', body: quotedPrintable(lines) };
  return { encoding: 'base64', body: base64(bytes).replaceAll(/.{76}(?=.)/g, '$&\r\n') };
}
