import { describe, expect, test } from 'vitest';
import type { GoflowError } from '../../src/core/errors.ts';
import { locateFault } from '../../src/http/body/locate.ts';
import { parseJson } from '../../src/http/body/parse.ts';
import { scanJson } from '../../src/http/body/scan.ts';

function refusal(text: string | Buffer): GoflowError {
  try {
    parseJson(Buffer.from(text));
  } catch (error) {
    return error as GoflowError;
  }
  throw new Error('was accepted');
}

describe('a body that is JSON', () => {
  test('is read as JSON.parse reads it', () => {
    const text = ' {"a":[1,-2.5e3,"\\u00e9\\n"],"b":null,"c":true} ';
    expect(parseJson(Buffer.from(text))).toEqual(JSON.parse(text));
  });

  test('may begin with a byte order mark', () => {
    expect(parseJson(Buffer.from('\ufeff{"a":1}'))).toEqual({ a: 1 });
  });

  test('keeps __proto__ and constructor as plain own members', () => {
    const value = parseJson(Buffer.from('{"__proto__":{"admin":true},"constructor":1}')) as object;
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect((value as { admin?: unknown }).admin).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test('has the last of repeated keys, also where numbers are looked at closely', () => {
    expect(parseJson(Buffer.from('{"a":1,"a":2}'))).toEqual({ a: 2 });
    expect(parseJson(Buffer.from('{"a":1e3,"a":2}'))).toEqual({ a: 2 });
  });

  test('may be 64 levels deep and not 65', () => {
    const nested = (depth: number): string => `${'['.repeat(depth)}1${']'.repeat(depth)}`;
    expect(parseJson(Buffer.from(nested(64)))).toBeDefined();
    expect(refusal(nested(65)).code).toBe('BODY_TOO_DEEP');
  });

  test('may have brackets in its strings without end', () => {
    const text = JSON.stringify({ a: '['.repeat(500), b: `\\"${'{'.repeat(500)}`, c: '\\' });
    expect(parseJson(Buffer.from(text))).toEqual(JSON.parse(text));
  });
});

describe('200,000 levels of nesting', () => {
  test('are refused after the first 65', () => {
    const scan = scanJson('['.repeat(200_000));
    expect(scan.tooDeepAt).toBe(64);
    expect(refusal('{"a":'.repeat(200_000)).code).toBe('BODY_TOO_DEEP');
  });
});

describe('numbers', () => {
  test('that are safe integers, fractions or written with an exponent are taken', () => {
    const text = '[9007199254740991,-9007199254740991,0.12345678901234567,6.02e23,1E-7,1234567890123456]';
    expect(parseJson(Buffer.from(text))).toEqual(JSON.parse(text));
  });

  test.each(['9007199254740992', '-9007199254740993', '12345678901234567890', '9007199254740993.0', '1e400', '-1e999'])(
    '%s is refused with its pointer',
    (number) => {
      const error = refusal(`{"a":[0,{"b/c":${number}}]}`);
      expect(error.code).toBe('VALIDATION_FAILED');
      expect(error.problems?.map(({ pointer }) => pointer)).toEqual(['/a/1/b~1c']);
      expect(error.message).toContain(number);
    },
  );

  test('inside strings are text', () => {
    expect(parseJson(Buffer.from('{"id":"12345678901234567890","e":"1e400"}'))).toEqual({
      id: '12345678901234567890',
      e: '1e400',
    });
  });
});

describe('a body that is not JSON', () => {
  test.each([
    ['{"a":1,}', 'a property name in double quotes', 'position 7'],
    ['{"a" 1}', '":"', 'position 5'],
    ['[1 2]', '"," or "]"', 'position 3'],
    ['{"a":1', '"," or "}"', 'position 6'],
    ['nul', 'a JSON value', 'position 0'],
    ['{"a":1}x', 'the end of the text', 'position 7'],
    ['"abc', 'a character', 'position 4'],
    ['"a\nb"', 'a character', 'position 2'],
    ['"\\x"', 'a character', 'position 1'],
    ['', 'a JSON value', 'position 0'],
    ['{\n  "a": 01\n}', '"," or "}"', 'line 2, column 9'],
  ])('%j is refused with what is wrong and where', (text, expected, position) => {
    const { code, message } = refusal(text);
    expect(code).toBe('BAD_JSON');
    expect(message).toContain(expected);
    expect(message).toContain(position);
  });

  test('is found by JSON.parse and by our own look in the same texts', () => {
    const pieces = ['{', '}', '[', ']', ',', ':', '"a"', '"', '1', '-', '.5', 'e', 'true', 'null', ' ', '\\', '\n'];
    let seed = 7;
    const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let i = 0; i < 5000; i++) {
      const text = Array.from({ length: 1 + next(7) }, () => pieces[next(pieces.length)]).join('');
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      expect([text, locateFault(text) === null]).toEqual([text, valid]);
    }
  });

  test('is refused when it is not UTF-8', () => {
    expect(refusal(Buffer.from([0x22, 0xff, 0xfe, 0x22])).message).toContain('UTF-8');
  });
});
