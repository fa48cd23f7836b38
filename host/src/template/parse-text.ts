import { type Path, parsePath } from './path.ts';

/** Longest placeholder, in characters. */
const MAX_PLACEHOLDER = 1100;

/** A piece of a string: text that stays, or a placeholder. `source` is the placeholder as it is written, braces included. */
export type Part = string | { readonly path: Path; readonly source: string };

export type ParsedText = { readonly parts: readonly Part[] } | { readonly fault: string };

/**
 * Splits a string into text and placeholders. `\{{` is a literal `{{`. Braces that hold no path are a fault, or with `lenient` text like any other.
 */
export function parseText(text: string, lenient: boolean): ParsedText {
  const parts: Part[] = [];
  let literal = '';
  let at = 0;
  let close = text.indexOf('}}');
  for (;;) {
    const open = text.indexOf('{{', at);
    if (open < 0) break;
    if (open > at && text[open - 1] === '\\') {
      literal += `${text.slice(at, open - 1)}{{`;
      at = open + 2;
      continue;
    }
    // Looked for once for all openings before it, so that a text of nothing but braces takes linear time.
    if (close >= 0 && close < open + 2) close = text.indexOf('}}', open + 2);
    const inner = close < 0 || close - open > MAX_PLACEHOLDER ? '' : text.slice(open + 2, close);
    const path = inner === '' ? null : parsePath(inner);
    if (path === null) {
      if (!lenient)
        return {
          fault: close < 0 ? faultUnclosed(text, open) : faultNoPath(text.slice(open + 2, Math.min(close, open + 100))),
        };
      literal += text.slice(at, open + 2);
      at = open + 2;
      continue;
    }
    literal += text.slice(at, open);
    if (literal !== '') parts.push(literal);
    literal = '';
    parts.push({ path, source: text.slice(open, close + 2) });
    at = close + 2;
  }
  literal += text.slice(at);
  if (literal !== '' || parts.length === 0) parts.push(literal);
  return { parts };
}

function faultUnclosed(text: string, open: number): string {
  return `the braces at character ${open + 1} are not closed: "${shorten(text.slice(open))}"; write \\{{ for two braces as they are`;
}

function faultNoPath(inner: string): string {
  const what = inner.trim() === '' ? 'the braces hold no path' : `"{{${shorten(inner)}}}" holds no path`;
  return `${what}, such as {{params.name}}; write \\{{ for two braces as they are`;
}

function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}
