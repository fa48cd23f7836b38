/** Where JSON text goes wrong, for people: V8's own messages name a position only sometimes, and quote the text. */
export interface Fault {
  readonly offset: number;
  readonly expected: string;
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;
const SPACE = /[ \t\n\r]*/y;

const IN_STRING = 'a character or escape that a string may have, or its closing quote';

/** The first fault of the text; null when it is JSON. Only for text whose depth is known to be bounded: it recurses. */
export function locateFault(text: string): Fault | null {
  let at = 0;
  const eat = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  /** Stops at the character that a string may not have. */
  const eatString = (): 'eaten' | 'none' | 'broken' => {
    if (text[at] !== '"') return 'none';
    for (at++; at < text.length; ) {
      const code = text.charCodeAt(at);
      if (code === 0x22) {
        at++;
        return 'eaten';
      }
      if (code === 0x5c ? !eat(ESCAPE) : code < 0x20) return 'broken';
      if (code !== 0x5c) at++;
    }
    return 'broken';
  };
  const eatChar = (char: string): boolean => {
    eat(SPACE);
    if (text[at] !== char) return false;
    at++;
    return true;
  };
  const fault = (expected: string): Fault => ({ offset: at, expected });

  const member = (): Fault | null => {
    eat(SPACE);
    const name = eatString();
    if (name !== 'eaten') return fault(name === 'none' ? 'a property name in double quotes' : IN_STRING);
    if (!eatChar(':')) return fault('":"');
    return value();
  };
  const sequence = (close: string, element: () => Fault | null): Fault | null => {
    if (eatChar(close)) return null;
    for (;;) {
      const wrong = element();
      if (wrong !== null) return wrong;
      if (eatChar(close)) return null;
      if (!eatChar(',')) return fault(`"," or "${close}"`);
    }
  };
  const value = (): Fault | null => {
    eat(SPACE);
    if (eatChar('{')) return sequence('}', member);
    if (eatChar('[')) return sequence(']', value);
    const string = eatString();
    if (string === 'broken') return fault(IN_STRING);
    return string === 'eaten' || eat(NUMBER) || eat(WORD) ? null : fault('a JSON value');
  };

  const wrong = value();
  if (wrong !== null) return wrong;
  eat(SPACE);
  return at === text.length ? null : fault('the end of the text');
}

/** `line 2, column 7 (position 19)`, counted from 1, the position from 0. */
export function describeOffset(text: string, offset: number): string {
  let line = 1;
  let lineStart = 0;
  for (let next = text.indexOf('\n'); next !== -1 && next < offset; next = text.indexOf('\n', next + 1)) {
    line++;
    lineStart = next + 1;
  }
  return `line ${line}, column ${offset - lineStart + 1} (position ${offset})`;
}
