/** Deepest nesting of arrays and objects that is accepted. */
export const MAX_DEPTH = 64;

export interface Scan {
  /** Offset of the bracket that opens the first level too deep; -1: none does. */
  readonly tooDeepAt: number;
  /** There is a number that a double may not hold: 16 digits or more, or an exponent. Worth a slower, exact look. */
  readonly suspectNumbers: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Looks at JSON text before `JSON.parse` does, in one linear pass that stops at the first level too deep: nesting is a danger to everything
 * that later walks the value. Says nothing about whether the text is JSON.
 */
export function scanJson(text: string): Scan {
  let depth = 0;
  let digits = 0;
  let suspectNumbers = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x30 && code <= 0x39) {
      if (++digits === 16) suspectNumbers = true;
      continue;
    }
    if (digits > 0 && (code | 0x20) === 0x65) suspectNumbers = true;
    digits = 0;
    if (code === QUOTE) {
      i = endOfString(text, i);
      if (i === -1) break;
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > MAX_DEPTH) return { tooDeepAt: i, suspectNumbers };
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return { tooDeepAt: -1, suspectNumbers };
}

/** Offset of the quote that closes the string opened at `open`; -1 when none does. */
function endOfString(text: string, open: number): number {
  let from = open + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return -1;
    let backslashes = 0;
    while (quote - 1 - backslashes >= from && text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote;
    from = quote + 1;
  }
}
